// Ways to put something over a protected file, or over what is above it.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D } from './case.ts';

/** See the head of this file. */
export const PLACING: readonly Case[] = [
  {
    id: '66',
    smoke: true,
    title: 'mounting over it, over what is above it, and by every call',
    setup:
      'mkdir $D/dir $D/root $D/free $D/other; echo s > $D/secret; echo s > $D/dir/secret; echo o > $D/file',
    protect: [{ path: '$D/secret' }, { path: '$D/dir/secret' }],
    deny: ['mount'],
    attempts: [
      D('mount-bind', '$D/file', '$D/secret'),
      D('mount-bind-private', '$D/file', '$D/secret'),
      D('mount-move', '$D/file', '$D/secret'),
      D('move-mount', '$D/file', '$D/secret'),
      D('mount-tmpfs', '$D/dir'),
      D('move-mount', '$D/other', '$D/dir'),
      A('mount-bind', '$D/secret', '$D/file'),
      A('mount-tmpfs', '$D/free'),
      A('open-rdwr', '$D/secret'),
    ],
  },
  {
    id: '66b',
    title: 'putting the old root over a directory, and what changes a mount without covering',
    setup: 'mkdir $D/root $D/tree',
    protect: [{ tree: '$D/tree' }],
    deny: ['mount'],
    attempts: [
      D('pivot-over', '$D/root', '$D/tree'),
      D('mount-tmpfs', '$D/tree'),
      A('remount', '/disk'),
    ],
  },
];
