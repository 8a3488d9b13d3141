// What a file is when its name, its inode or its directory changes.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, D2, exempt, SECRET, secret } from './case.ts';

/** See the head of this file. */
export const IDENTITY: readonly Case[] = [
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
    smoke: true,
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
    attempts: [exempt('reuse-number', '$D/secret', '$D/innocent'), A('open-rdwr', '$D/innocent')],
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
    smoke: true,
    title: 'on tmpfs: by identity, by alias and by name',
    setup: `${SECRET}; ln $D/secret $D/alias; echo new > $D/new`,
    protect: secret,
    deny: 'all',
    place: 'tmpfs',
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
      // In audit it is made, and the next generation follows it: to a file that nobody opens.
      ['33c', D('symlink', '/etc/hostname', '$D/absent')],
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
    id: '33e',
    title: 'a path that did not exist, put there by renaming what lies beside it',
    setup: 'echo n > $D/new',
    protect: [{ path: '$D/absent' }],
    deny: 'all',
    attempts: [D('rename', '$D/new', '$D/absent')],
  },
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
    smoke: true,
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
    smoke: true,
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
    title: 'a file at depth 71 and 500 under a tree',
    setup: 'mkdir $D/tree; for n in 71 500; do op deep-make $D/tree $n; done',
    protect: [{ tree: '$D/tree' }],
    deny: 'all',
    attempts: [D('deep-open', '$D/tree', '71'), D('deep-open', '$D/tree', '500')],
  },
  {
    id: '124b',
    title: 'a file at depth 3,000 under a tree',
    setup: 'mkdir $D/tree; op deep-make $D/tree 3000',
    protect: [{ tree: '$D/tree' }],
    deny: 'all',
    // An emulated guest takes minutes to make and to scan a dozen of these.
    everyVariant: false,
    attempts: [D('deep-open', '$D/tree', '3000')],
  },
];
