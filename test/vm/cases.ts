// The case table of the guest suite. An id names one kernel case of the file-enforcement list: a way
// to reach, change, execute or rename a protected object, and what must come of it.
//
// Each case is played three times, below enforce/ID, audit/ID and control/ID of the disk (or on
// tmpfs below /run/cases): protected in mode enforce, protected in mode audit, and not protected at
// all. The last is the benign control: what it answers is what audit must answer too. `$D` stands for
// the case's directory.
//
// SPDX-License-Identifier: Apache-2.0

import type { Operation } from '../../src/core/policy/document.ts';

/** D: denied with EACCES, one event, counter +1. A: allowed, no event. */
export type Expected = 'D' | 'A';

export interface Attempt {
  /** Name of an attempt of test/vm/op and its arguments. */
  readonly run: readonly string[];
  readonly expect: Expected;
  /** `exempt`: by the exempt program; `alice`: by uid 1000; default: by root, not exempt. */
  readonly as?: 'exempt' | 'alice';
  /** Would-deny events in audit, where the call goes on and is judged again; default 1. */
  readonly audits?: number;
  /** Shell lines right before it, as root, by programs that no rule concerns. */
  readonly before?: string;
}

export interface Case {
  /** Number in the list, with a letter where an id needs more than one arrangement. */
  readonly id: string;
  readonly title: string;
  /** Shell lines that lay out `$D` before the policy is activated. */
  readonly setup: string;
  readonly protect: readonly { readonly path?: string; readonly tree?: string }[];
  readonly deny: readonly Operation[] | 'all';
  readonly exemptUid?: number;
  readonly attempts: readonly Attempt[];
  /** On tmpfs instead of ext4. */
  readonly tmpfs?: true;
}

const SECRET = 'echo secret > $D/secret';
const secret = [{ path: '$D/secret' }];
const D = (...run: string[]): Attempt => ({ run, expect: 'D' });
/** Denied at the first act; in audit each act of the call is told: create or truncate, then open. */
const D2 = (...run: string[]): Attempt => ({ run, expect: 'D', audits: 2 });
const A = (...run: string[]): Attempt => ({ run, expect: 'A' });

const aliasing: readonly Case[] = [
  {
    id: '1',
    title: 'through a symlink',
    setup: `${SECRET}; ln -s secret $D/symlink`,
    protect: secret,
    deny: 'all',
    attempts: [D('open-read', '$D/symlink')],
  },
  {
    id: '2',
    title: 'a dangling symlink whose target would be created under a protected name',
    setup: 'ln -s target $D/dangling',
    protect: [{ path: '$D/target' }],
    deny: 'all',
    attempts: [D2('open-creat', '$D/dangling')],
  },
  {
    id: '3',
    title: 'a symlink loop is ELOOP, not a denial',
    setup: `${SECRET}; ln -s loop $D/loop`,
    protect: secret,
    deny: 'all',
    attempts: [A('open-read', '$D/loop')],
  },
  {
    id: '5',
    title: 'a hard link made before the rule',
    setup: `${SECRET}; ln $D/secret $D/alias`,
    protect: secret,
    deny: 'all',
    attempts: [D('open-read', '$D/alias'), D('open-write', '$D/alias')],
  },
  {
    id: '6',
    title: 'making a hard link after the rule',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('link', '$D/secret', '$D/made')],
  },
  {
    id: '7',
    title: 'a hard link from a tree to outside, when the rule denies only read',
    setup: 'mkdir -p $D/tree/below $D/out; echo s > $D/tree/file',
    protect: [{ tree: '$D/tree' }],
    deny: ['read'],
    attempts: [
      D('link', '$D/tree/file', '$D/out/file'),
      A('link', '$D/tree/file', '$D/tree/below/file'),
    ],
  },
  {
    id: '8',
    title: 'opened under a new name after an exempt subject renamed it',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      { run: ['rename', '$D/secret', '$D/renamed'], expect: 'A', as: 'exempt' },
      D('open-read', '$D/renamed'),
    ],
  },
  {
    id: '9',
    title: 'the parent directory renamed',
    setup: 'mkdir $D/dir; echo s > $D/dir/secret',
    protect: [{ path: '$D/dir/secret' }],
    deny: 'all',
    attempts: [D('rename', '$D/dir', '$D/moved')],
  },
  {
    id: '9b',
    title: 'a file below a parent that an exempt subject renamed',
    setup: 'mkdir $D/dir; echo s > $D/dir/secret',
    protect: [{ path: '$D/dir/secret' }],
    deny: 'all',
    attempts: [
      { run: ['rename', '$D/dir', '$D/moved'], expect: 'A', as: 'exempt' },
      D('open-read', '$D/moved/secret'),
    ],
  },
  {
    id: '10',
    title: 'a bind-mounted file',
    setup: `${SECRET}; touch $D/mountpoint`,
    protect: secret,
    deny: 'all',
    attempts: [D('bind-open', '$D/secret', '$D/mountpoint', '$D/mountpoint')],
  },
  {
    id: '11',
    title: 'a bind-mounted parent',
    setup: 'mkdir $D/dir $D/mountpoint; echo s > $D/dir/secret',
    protect: [{ path: '$D/dir/secret' }],
    deny: 'all',
    attempts: [D('bind-open', '$D/dir', '$D/mountpoint', '$D/mountpoint/secret')],
  },
  {
    id: '12',
    title: 'from a private mount namespace',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('mount-namespace-open', '$D/secret')],
  },
  {
    id: '14',
    title: 'after chroot and pivot_root',
    setup: 'mkdir $D/root; echo s > $D/root/secret',
    protect: [{ path: '$D/root/secret' }],
    deny: 'all',
    attempts: [D('chroot-open', '$D/root', '/secret'), D('pivot-open', '$D/root', '/secret')],
  },
  {
    id: '15',
    title: 'through /proc/self/root, cwd and fd',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      D('open-read', '/proc/self/root/$D/secret'),
      D('proc-cwd-open', '$D', 'secret'),
      D('reopen-path', '$D/secret'),
    ],
  },
  {
    id: '16',
    title: 'dot dot, double slashes, relative and very long paths',
    setup: `${SECRET}; mkdir $D/sub`,
    protect: secret,
    deny: 'all',
    attempts: [
      D('open-read', '$D/sub/../secret'),
      D('open-read', '$D//.//secret'),
      D('relative-open', '$D/sub', '../secret'),
      D('open-read', `$D${'/.'.repeat(1900)}/secret`),
    ],
  },
  {
    id: '17',
    title: 'names with a newline and with invalid UTF-8',
    setup: `mkdir $D/tree; echo s > "$D/tree/$(printf 'a\\nb')"; echo s > "$D/tree/$(printf '\\377x')"`,
    protect: [{ tree: '$D/tree' }],
    deny: 'all',
    attempts: [
      D('open-read', `$D/tree/$(printf 'a\\nb')`),
      D('open-read', `$D/tree/$(printf '\\377x')`),
    ],
  },
];

const identity: readonly Case[] = [
  {
    id: '19',
    title: 'unlinked by an exempt subject and created again under the same name',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      { run: ['unlink', '$D/secret'], expect: 'A', as: 'exempt' },
      { run: ['mknod', '$D/secret'], expect: 'A', as: 'exempt' },
      D('open-read', '$D/secret'),
    ],
  },
  {
    id: '20',
    title: 'replaced by an exempt subject: the new inode is protected by its name',
    setup: `${SECRET}; echo new > $D/new`,
    protect: secret,
    deny: 'all',
    attempts: [
      { run: ['rename', '$D/new', '$D/secret'], expect: 'A', as: 'exempt' },
      D('open-read', '$D/secret'),
      D('open-write', '$D/secret'),
    ],
  },
  {
    id: '21',
    title: 'an inode number reused by an innocent file',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      { run: ['unlink', '$D/secret'], expect: 'A', as: 'exempt' },
      { run: ['open-read', '$D/innocent'], expect: 'A', before: 'sync; echo x > $D/innocent' },
      A('open-write', '$D/innocent'),
    ],
  },
  {
    id: '22',
    title: 'an unnamed file linked onto a protected name',
    setup: 'true',
    protect: [{ path: '$D/absent' }],
    deny: 'all',
    attempts: [D('tmpfile-link', '$D', '$D/absent')],
  },
  {
    id: '31',
    title: 'on tmpfs: by identity, by alias and by name',
    setup: `${SECRET}; ln $D/secret $D/alias; echo new > $D/new`,
    protect: secret,
    deny: 'all',
    tmpfs: true,
    attempts: [
      D('open-read', '$D/secret'),
      D('open-read', '$D/alias'),
      D('rename', '$D/new', '$D/secret'),
      D('unlink', '$D/secret'),
    ],
  },
  ...(
    [
      ['33', D2('open-creat', '$D/absent')],
      ['33b', D('mkdir', '$D/absent')],
      ['33c', D('symlink', '/etc/passwd', '$D/absent')],
    ] as const
  ).map(
    ([id, attempt]): Case => ({
      id,
      title: `a path that did not exist, created by a stranger: ${attempt.run[0]}`,
      setup: 'true',
      protect: [{ path: '$D/absent' }],
      deny: 'all',
      attempts: [attempt],
    }),
  ),
  {
    id: '33d',
    title: 'a path that did not exist, created by an exempt subject, then opened by a stranger',
    setup: 'true',
    protect: [{ path: '$D/absent' }],
    deny: 'all',
    attempts: [
      { run: ['mknod', '$D/absent'], expect: 'A', as: 'exempt' },
      D('open-read', '$D/absent'),
    ],
  },
  {
    id: '122',
    title: 'a directory moved into a tree takes its descendants with it',
    setup: 'mkdir -p $D/tree $D/loose/deep; echo s > $D/loose/deep/file',
    protect: [{ tree: '$D/tree' }],
    deny: ['read'],
    attempts: [
      A('open-read', '$D/loose/deep/file'),
      A('rename', '$D/loose', '$D/tree/loose'),
      D('open-read', '$D/tree/loose/deep/file'),
    ],
  },
  {
    id: '123',
    title: 'a file or directory moved out of a tree by a subject that the tree denies only read',
    setup: 'mkdir -p $D/tree/sub; echo s > $D/tree/file; echo s > $D/tree/sub/file',
    protect: [{ tree: '$D/tree' }],
    deny: ['read'],
    attempts: [D('rename', '$D/tree/file', '$D/file'), D('rename', '$D/tree/sub', '$D/sub')],
  },
  {
    id: '123b',
    title: 'a file moved inside a tree stays covered',
    setup: 'mkdir -p $D/tree/sub; echo s > $D/tree/file',
    protect: [{ tree: '$D/tree' }],
    deny: ['read'],
    attempts: [
      A('rename', '$D/tree/file', '$D/tree/sub/moved'),
      D('open-read', '$D/tree/sub/moved'),
    ],
  },
  {
    id: '124',
    title: 'a file at depth 71, 500 and 3,000 under a tree',
    setup: 'mkdir $D/tree; for n in 71 500 3000; do op deep-make $D/tree $n; done',
    protect: [{ tree: '$D/tree' }],
    deny: 'all',
    attempts: [
      D('deep-open', '$D/tree', '71'),
      D('deep-open', '$D/tree', '500'),
      D('deep-open', '$D/tree', '3000'),
    ],
  },
];

const opening: readonly Case[] = [
  {
    id: '34',
    title: 'open, openat and creat',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      D('open-read', '$D/secret'),
      D('open-write', '$D/secret'),
      D('open-rdwr', '$D/secret'),
      D2('creat', '$D/secret'),
    ],
  },
  {
    id: '36',
    title: 'O_PATH alone and fstat on it',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [A('open-path', '$D/secret')],
  },
  {
    id: '37',
    title: 'O_PATH reopened through /proc/self/fd',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('reopen-path', '$D/secret')],
  },
  {
    id: '38',
    title: 'O_TRUNC',
    setup: SECRET,
    protect: secret,
    deny: ['write'],
    attempts: [D2('open-trunc', '$D/secret'), A('open-read', '$D/secret')],
  },
  {
    id: '39',
    title: 'O_APPEND and O_DIRECT',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('open-append', '$D/secret'), D('open-direct', '$D/secret')],
  },
  {
    id: '40',
    title: 'open_by_handle_at',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('open-handle', '$D/secret', '/disk')],
  },
  {
    id: '41',
    title: 'io_uring OPENAT and OPENAT2',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('ring-openat', '$D/secret'), D('ring-openat2', '$D/secret')],
  },
  {
    id: '45',
    title: 'swapon and acct',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('swapon', '$D/secret'), D('acct', '$D/secret')],
  },
  {
    id: '46',
    title: 'root of a user namespace',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('user-namespace-open', '$D/secret')],
  },
];

const changing: readonly Case[] = [
  {
    id: '58',
    title: 'truncate',
    setup: SECRET,
    protect: secret,
    deny: ['write'],
    attempts: [D('truncate', '$D/secret')],
  },
  {
    id: '61',
    title: 'unlink and rmdir',
    setup: `${SECRET}; mkdir $D/dir`,
    protect: [{ path: '$D/secret' }, { path: '$D/dir' }],
    deny: ['delete'],
    attempts: [D('unlink', '$D/secret'), D('rmdir', '$D/dir')],
  },
  ...(
    [
      ['62', D('rename', '$D/new', '$D/secret')],
      // The hook is called for each side of an exchange.
      ['62b', D2('exchange', '$D/new', '$D/secret')],
      ['62c', D2('exchange', '$D/secret', '$D/new')],
      ['62d', D('rename', '$D/secret', '$D/away')],
    ] as const
  ).map(
    ([id, attempt]): Case => ({
      id,
      title: `renamed over, exchanged, renamed away: ${attempt.run.join(' ')}`,
      setup: `${SECRET}; echo new > $D/new`,
      protect: secret,
      deny: ['create', 'delete', 'rename'],
      attempts: [attempt],
    }),
  ),
  {
    id: '63',
    title: 'a link from it',
    setup: SECRET,
    protect: secret,
    deny: ['link'],
    attempts: [D('link', '$D/secret', '$D/made')],
  },
  {
    id: '64',
    title: 'chmod, chown and utimes',
    setup: SECRET,
    protect: secret,
    deny: ['setattr'],
    attempts: [D('chmod', '$D/secret'), D('chown', '$D/secret'), D('utimes', '$D/secret')],
  },
  {
    id: '65',
    title: 'extended attributes, ACLs and FS_IOC_SETFLAGS',
    setup: SECRET,
    protect: secret,
    deny: ['setattr'],
    attempts: [D('setxattr', '$D/secret'), D('setacl', '$D/secret'), D('setflags', '$D/secret')],
  },
  {
    id: '7b',
    title: 'everything that creates below a tree',
    setup: 'mkdir $D/tree; echo s > $D/file',
    protect: [{ tree: '$D/tree' }],
    deny: ['create'],
    attempts: [
      D('open-creat', '$D/tree/a'),
      D('mkdir', '$D/tree/b'),
      D('mknod', '$D/tree/c'),
      D('mkfifo', '$D/tree/d'),
      D('symlink', 'x', '$D/tree/e'),
      D('link', '$D/file', '$D/tree/f'),
      D('rename', '$D/file', '$D/tree/g'),
    ],
  },
];

const executing: readonly Case[] = [
  {
    id: '67',
    title: 'directly, and by execveat',
    setup: 'cp /usr/local/bin/op $D/prog',
    protect: [{ path: '$D/prog' }],
    deny: ['execute'],
    attempts: [D('exec', '$D/prog'), D('execveat', '$D/prog'), A('open-read', '$D/prog')],
  },
  {
    id: '68',
    title: 'by symlink and by hard link',
    setup: 'cp /usr/local/bin/op $D/prog; ln -s prog $D/soft; ln $D/prog $D/hard',
    protect: [{ path: '$D/prog' }],
    deny: ['execute'],
    attempts: [D('exec', '$D/soft'), D('exec', '$D/hard')],
  },
  {
    id: '69',
    title: 'a script, with the rule on the script and on its interpreter',
    setup:
      'cp /bin/busybox $D/busybox; ln -s busybox $D/sh; cp /bin/busybox $D/free; ' +
      'printf "#!$D/sh\\n" > $D/by-interpreter; printf "#!/bin/sh\\n" > $D/script; chmod +x $D/by-interpreter $D/script',
    protect: [{ path: '$D/script' }, { path: '$D/busybox' }],
    deny: ['execute'],
    attempts: [D('exec', '$D/script'), D('exec', '$D/by-interpreter')],
  },
  {
    id: '75',
    title: 'mapped executable, as dlopen and LD_PRELOAD do',
    setup: 'cp /usr/local/bin/op $D/lib',
    protect: [{ path: '$D/lib' }],
    deny: ['execute'],
    attempts: [D('map-exec', '$D/lib'), D('protect-exec', '$D/lib')],
  },
];

const controls: readonly Case[] = [
  {
    id: '115',
    title: 'an unrelated file',
    setup: `${SECRET}; echo x > $D/other`,
    protect: secret,
    deny: 'all',
    attempts: [A('open-read', '$D/other'), A('chmod', '$D/other'), A('unlink', '$D/other')],
  },
  {
    id: '116',
    title: 'a copy made before the rule',
    setup: `${SECRET}; cp $D/secret $D/copy`,
    protect: secret,
    deny: 'all',
    attempts: [A('open-rdwr', '$D/copy')],
  },
  {
    id: '118',
    title: 'an exempt executable and an exempt uid',
    setup: `${SECRET}; chmod 666 $D/secret`,
    protect: secret,
    deny: 'all',
    exemptUid: 1000,
    attempts: [
      { run: ['open-rdwr', '$D/secret'], expect: 'A', as: 'exempt' },
      { run: ['open-rdwr', '$D/secret'], expect: 'A', as: 'alice' },
      D('open-rdwr', '$D/secret'),
    ],
  },
];

/** All cases that one activation can serve. */
export const CASES: readonly Case[] = [
  ...aliasing,
  ...identity,
  ...opening,
  ...changing,
  ...executing,
  ...controls,
];
