// The mutants of table.ts that only a real kernel shows, each with what must notice it there.
//
// SPDX-License-Identifier: Apache-2.0

import type { Killer, Mutant } from './mutant.ts';

type Live = readonly [id: string, from: string, to: string, only: string];

function onKernel(file: string, by: Killer, rows: readonly Live[]): readonly Mutant[] {
  return rows.map(([id, from, to, only]) => ({ id, file, from, to, by, only }));
}

const GLASS = 'break-glass in the kernel';

/** Each with what must notice it. */
export const ON_KERNEL: readonly Mutant[] = [
  ...onKernel('bpf/lib/walk.h', 'guest', [
    ['live-chain', 'wd_add(judge, &cover->chain, object->tree);\n	if', 'if', '122|7b'],
  ]),
  ...onKernel('bpf/mount.bpf.c', 'guest', [
    ['hook-mount-bind', ' && !(flags & WD_MS_BIND))', ')', '66'],
    ['hook-move-mount', 'WD_HOOK_MOVE_MOUNT, to)', 'WD_HOOK_MOVE_MOUNT, from)', '66'],
    ['hook-pivot', 'WD_HOOK_SB_PIVOTROOT, put_old)', 'WD_HOOK_SB_PIVOTROOT, new_root)', '66b'],
  ]),
  ...onKernel('bpf/lib/caller.h', 'guest', [
    ['live-group', 'climb.here = here;', 'climb.here = here; subject->depth = 0;', '118c'],
    ['live-parent', 'task = task->real_parent;\n	exe', ';\n	exe', '118d'],
    ['live-uid', 'cred->euid.val', '0', '118|43b'],
    [
      'live-own-uid',
      'own_creds ? wd_own_uid(uid) : uid;',
      '(own_creds & 2) ? wd_own_uid(uid) : uid;',
      '28c',
    ],
  ]),
  ...onKernel('bpf/file.bpf.c', 'guest', [
    ['hook-exec', 'executes * WD_OP_EXECUTE |', 'executes * WD_OP_READ |', '67'],
    [
      'hook-write',
      'request->and_op = writes * WD_OP_WRITE;\n	request->scan',
      '\n	request->scan',
      '34|58',
    ],
    ['layer-creds', 'request.borrows = !wd_opened_above(file);', 'request.borrows = 1;', '28c'],
    ['layer-echo', 'request.echo = wd_is_echo(file);', '', '27|28b|29'],
  ]),
  ...onKernel('bpf/name.bpf.c', 'guest', [
    [
      'hook-rename',
      '.to = new_dentry,\n		.hook = WD_HOOK_INODE_RENAME',
      '.hook = WD_HOOK_INODE_RENAME',
      '62|7b',
    ],
    ['hook-link', '.op = WD_OP_LINK', '.op = WD_OP_READ', '63'],
  ]),
  ...onKernel('bpf/lib/enforce.h', 'guest', [
    [
      'layer-beneath',
      'if (!wd_judge_layer(0, &at))\n		wd_judge_layer(1, &at);',
      'wd_judge_layer(0, &at);',
      '27b|29b',
    ],
    ['hook-replaces', 'request->victim != 0);', 'request->to != NULL);', '62e'],
    ['layer-alias', 'return wd_alias_of(request->inode);', 'return 0;', '27b'],
    ['layer-lower', 'return wd_overlay_lower(request->inode);', 'return 0;', '29b'],
    ['layer-ret', 'return at.ret ? -WD_EACCES : 0;', 'return 0;', '34'],
  ]),
  ...onKernel('bpf/lib/kept.h', 'guest', [
    [
      'kept-moves',
      'return WD_PLANTED == 1 || sequence == wd_rename_sequence();',
      'return 1;',
      '122',
    ],
  ]),
  ...onKernel('bpf/lib/quiet.h', 'guest', [
    ['kept-names', 'if (WD_PLANTED != 3 && *ret_names &&', 'if (0 &&', '19|33e'],
    ['kept-fresh-name', 'return named ? 0 : WD_QUIET_FRESH;', 'return WD_QUIET_FRESH;', '33e|33'],
    [
      'kept-identity',
      'if (!filter || wd_is_listed(generation, filter, inode))',
      'if (!filter)',
      '5',
    ],
    ['kept-tree', 'if (object->tree)\n		return WD_HERE_TREE;', '', '122|7b'],
    ['kept-folded', '(inode->i_flags & WD_S_CASEFOLD))\n		return 0;', '0)\n		return 0;', '17c'],
    ['kept-beside-dir', 'if (names || to->d_parent != from->d_parent)', 'if (names)', '7b'],
    [
      'kept-beside-name',
      'if (names || to->d_parent != from->d_parent)',
      'if (to->d_parent != from->d_parent)',
      '33e',
    ],
    [
      'kept-beside-victim',
      'if (!filter || wd_is_listed(generation, filter, to->d_inode))',
      'if (!filter)',
      '5b',
    ],
  ]),
  ...onKernel('bpf/lib/kept.h', 'oracle', [
    [
      'kept-generation',
      '(WD_PLANTED != 2 && entry->tag != wd_tag_of(generation)) ||',
      '',
      'never makes a kept answer differ',
    ],
  ]),
  ...onKernel('bpf/lib/glass.h', 'glass', [
    ['glass-generation', '|| found->generation != generation->generation)', ')', GLASS],
    ['glass-end', 'if (bpf_ktime_get_boot_ns() >= found->until_ns)', 'if (0)', GLASS],
    [
      'glass-clock',
      'if (bpf_ktime_get_boot_ns() >= found->until_ns)',
      'if (bpf_ktime_get_ns() >= found->until_ns)',
      'while the machine sleeps',
    ],
    ['glass-group', 'if (found->cgroup && bpf', 'if (0 && bpf', GLASS],
    [
      'glass-level',
      '(found->level) != found->cgroup',
      '(found->level + 1) != found->cgroup',
      GLASS,
    ],
    ['glass-moves', '== WD_ACTION_DENY || judge->moves;', '== WD_ACTION_DENY;', GLASS],
    [
      'glass-rules',
      'wd_merge(&findings->covers.exempt, &found->rules, wd_words(judge->generation));',
      '',
      GLASS,
    ],
    ['glass-others', 'if (findings->decision.action == WD_ACTION_DENY)', 'if (0)', GLASS],
    ['glass-allowed', 'if (slot->first.action != WD_ACTION_DENY)', 'if (0)', GLASS],
    ['glass-told', 'findings->decision = slot->first;', '', GLASS],
    ['glass-token', 'slot->token = found->token;', '', GLASS],
  ]),
  ...onKernel('bpf/lib/event.h', 'glass', [
    ['glass-event', 'event->token = slot->token;', ';', GLASS],
    ['glass-counted', '__sync_fetch_and_add(&here->let, 1);', ';', 'counts what'],
  ]),
  ...onKernel('bpf/lib/event.h', 'health', [
    ['canary-ring', '&& wd_is_canary(event->ppid))', '&& 0)', 'in a flood of denials'],
  ]),
  ...onKernel('bpf/self.bpf.c', 'self', [
    ['self-map', '!wd_is_own(WD_OWN_MAP, map->id))', '1)', 'nor reach a map'],
    ['self-prog', '!wd_is_own(WD_OWN_PROG, aux->id))', '1)', 'nor reach a program'],
    ['self-trace', '!wd_self_on() || !wd_lineage_of(child))', '1)', 'by trace|by read-memory'],
    ['self-sight', '!(mode & WD_PTRACE_MODE_ATTACH) ||', '', 'sees that it is there'],
    ['self-signal', 'if (!sig || !wd_self_on()', 'if (!wd_self_on()', 'sees that it is there'],
    ['self-kill', '!wd_lineage_of(target) || task', '1 || task', 'by signal'],
    ['self-umount', 'sb->s_dev != own_self->pins_dev)', '1)', 'the mount of the pins'],
    ['self-traced', 'if (task->ptrace || ', 'if (', 'by tracing the launcher'],
    ['self-root', '|| !wd_sees_our_root(task, own_self))', ')', 'in a mount namespace|in a chroot'],
    [
      'self-runtime',
      ' && wd_lineage_of(task) == WD_LINEAGE_LAUNCHED)',
      ')',
      'the same program without the launcher',
    ],
  ]),
  ...onKernel('bpf/lib/self.h', 'self', [
    [
      'self-same',
      'return a->ino == b->ino && a->sub == b->sub',
      'return a->sub == b->sub',
      'the same program without the launcher',
    ],
    [
      'self-mount',
      'return (__u64)fs->root.mnt == own_self->root_mount &&\n	       ',
      'return ',
      'in a mount namespace',
    ],
  ]),
];
