// Ways to change a protected file, its attributes and its names.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, D2, SECRET, secret } from './case.ts';

/** See the head of this file. */
export const CHANGING: readonly Case[] = [
  {
    id: '58',
    smoke: true,
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
    id: '62e',
    smoke: true,
    title: 'a rename onto a name that nothing has deletes nothing; the next one does',
    setup: 'echo one > $D/one; echo two > $D/two',
    protect: secret,
    deny: ['delete'],
    attempts: [A('rename', '$D/one', '$D/secret'), D('rename', '$D/two', '$D/secret')],
  },
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
    smoke: true,
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
