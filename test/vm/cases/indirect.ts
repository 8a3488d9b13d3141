// Ways around a rule that no file rule can see, shown as declared, and who opens on whose behalf.
//
// SPDX-License-Identifier: Apache-2.0

import { EXEMPT_PROGRAM } from '../suite/exempt.ts';
import { A, type Attempt, type Case, D, exempt, SECRET, secret, X } from './case.ts';

const fromReader = (id: string, title: string, attempt: Attempt): Case => ({
  id,
  title,
  setup: SECRET,
  protect: secret,
  deny: 'all',
  attempts: [attempt, D('open-read', '$D/secret')],
});

/** See the head of this file. */
export const INDIRECT: readonly Case[] = [
  fromReader(
    '77',
    'ptrace peek of an exempt reader',
    X('ptrace-peek', EXEMPT_PROGRAM, '$D/secret'),
  ),
  fromReader('78', 'process_vm_readv of it', X('vm-read', EXEMPT_PROGRAM, '$D/secret')),
  fromReader('79', '/proc/PID/mem of it', X('mem-read', EXEMPT_PROGRAM, '$D/secret')),
  {
    id: '80',
    title: 'the raw block device that holds it',
    setup: 'echo "content of $D" > $D/secret',
    protect: secret,
    deny: 'all',
    attempts: [X('device-search', '$D', 'content of $D'), D('open-read', '$D/secret')],
  },
  {
    id: '43',
    title: 'io_uring with the credentials of an exempt uid',
    setup: `${SECRET}; chmod 666 $D/secret`,
    protect: secret,
    deny: 'all',
    exemptUid: 1000,
    attempts: [A('ring-open-as', '1000', '$D/secret'), D('ring-open-as', '1001', '$D/secret')],
  },
  {
    id: '43b',
    title: 'io_uring of an exempt uid with the credentials of another',
    setup: `${SECRET}; chmod 666 $D/secret`,
    protect: secret,
    deny: 'all',
    exemptUid: 0,
    attempts: [D('ring-open-as', '1000', '$D/secret'), A('open-read', '$D/secret')],
  },
  {
    id: '44',
    title: 'the descriptor that fanotify supplies for an exempt open',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [D('fanotify-open', '$D/secret', EXEMPT_PROGRAM)],
  },
  {
    id: '102',
    title: 'opened by a thread after another, or the leader, has ended',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    attempts: [
      D('thread-open', '$D/secret'),
      D('leaderless-open', '$D/secret'),
      exempt('thread-open', '$D/secret'),
      exempt('leaderless-open', '$D/secret'),
    ],
  },
];
