// Ways to open a protected file.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, D2, isFrom, SECRET, secret } from './case.ts';

/** See the head of this file. */
export const OPENING: readonly Case[] = [
  {
    id: '34',
    smoke: true,
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
    smoke: true,
    title: 'open_by_handle_at',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('open-handle', '$D/secret', '$D')],
  },
  {
    id: '41',
    smoke: true,
    title: 'io_uring OPENAT and OPENAT2',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('ring-openat', '$D/secret'), D('ring-openat2', '$D/secret')],
  },
  {
    id: '45',
    title: 'swapon',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('swapon', '$D/secret')],
  },
  {
    id: '45b',
    title: 'acct',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('acct', '$D/secret')],
    differences: [
      {
        when: (kernel) => isFrom(kernel, 6, 13),
        text: 'acct opens the file a second time: two would-deny events in audit',
        attempts: [D2('acct', '$D/secret')],
      },
    ],
  },
  {
    id: '46',
    title: 'root of a user namespace',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('user-namespace-open', '$D/secret')],
  },
  {
    id: '46b',
    title: 'a setuid program run by an ordinary user',
    setup: `${SECRET}; chmod 600 $D/secret; cp /usr/local/bin/op $D/suid; chmod 4755 $D/suid`,
    protect: secret,
    deny: 'all',
    attempts: [{ run: ['via', '$D/suid', 'open-read', '$D/secret'], expect: 'D', as: 'alice' }],
  },
];
