// What a rule leaves alone.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, SECRET, secret } from './case.ts';

/** See the head of this file. */
export const CONTROLS: readonly Case[] = [
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
    smoke: true,
    title: 'a copy made before the rule',
    setup: `${SECRET}; cp $D/secret $D/copy`,
    protect: secret,
    deny: 'all',
    attempts: [A('open-rdwr', '$D/copy')],
  },
  {
    id: '118',
    smoke: true,
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
  {
    id: '117',
    title: 'a program that logs people in, and the file that it lives on',
    setup: `cp /usr/local/bin/op $D/login; echo s > $D/shadow; echo n > $D/shadow.new`,
    protect: [{ path: '$D/shadow' }, { path: '$D/login' }],
    deny: ['read', 'write', 'create', 'delete', 'rename', 'link', 'setattr'],
    except: ['exe: $D/login'],
    attempts: [
      { ...A('open-read', '$D/shadow'), by: '$D/login' },
      { ...A('open-write', '$D/shadow'), by: '$D/login' },
      { ...A('chmod', '$D/shadow'), by: '$D/login' },
      // As passwd(1) does it.
      { ...A('rename', '$D/shadow.new', '$D/shadow'), by: '$D/login' },
      { ...A('open-read', '$D/shadow'), by: '$D/login' },
      D('open-read', '$D/shadow'),
    ],
  },
];
