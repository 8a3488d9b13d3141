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
    ['live-parent', 'task = task->real_parent;\n	exe', 'exe', '118d'],
    ['live-uid', 'cred->euid.val', '0', '118|43b'],
  ]),
  ...onKernel('bpf/file.bpf.c', 'guest', [
    ['hook-exec', 'executes * WD_OP_EXECUTE |', 'executes * WD_OP_READ |', '67'],
    [
      'hook-write',
      'request->and_op = writes * WD_OP_WRITE;\n	request->scan',
      '\n	request->scan',
      '34|58',
    ],
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
  ...onKernel('bpf/lib/glass.h', 'glass', [
    ['glass-generation', '|| found->generation != generation->generation)', ')', GLASS],
    ['glass-end', 'if (bpf_ktime_get_boot_ns() >= found->until_ns)', 'if (0)', GLASS],
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
  ...onKernel('bpf/self.bpf.c', 'self', [
    ['self-map', '!wd_is_own(WD_OWN_MAP, map->id))', '1)', 'nor reach a map'],
    ['self-prog', '!wd_is_own(WD_OWN_PROG, aux->id))', '1)', 'nor reach a program'],
    ['self-trace', '!wd_self_on() || !wd_lineage_of(child))', '1)', 'by trace|by read-memory'],
    ['self-sight', '!(mode & WD_PTRACE_MODE_ATTACH) ||', '', 'sees that it is there'],
    ['self-signal', 'if (!sig || !wd_self_on()', 'if (!wd_self_on()', 'sees that it is there'],
    ['self-kill', '!wd_lineage_of(target) || task', '1 || task', 'by signal'],
    ['self-umount', 'sb->s_dev != own_self->pins_dev)', '1)', 'the mount of the pins'],
  ]),
];
