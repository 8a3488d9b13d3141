// Ways to execute a protected file; the rule denies `execute` only.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, isFrom, X } from './case.ts';

/** See the head of this file. */
export const EXECUTING: readonly Case[] = [
  {
    id: '67',
    smoke: true,
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
    smoke: true,
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
  {
    id: '70',
    title: 'as an argument of an interpreter: an ordinary read',
    setup: 'cp /bin/busybox $D/busybox; ln -s busybox $D/sh; echo true > $D/script',
    protect: [{ path: '$D/script' }],
    deny: ['execute'],
    attempts: [A('exec-argument', '$D/sh', '$D/script'), A('open-read', '$D/script')],
  },
  {
    id: '71',
    title: 'through the program loader',
    setup: 'cp /usr/bin/setpriv $D/prog',
    protect: [{ path: '$D/prog' }],
    deny: ['execute'],
    attempts: [D('exec-loader', '/lib64/ld-linux-x86-64.so.2', '$D/prog')],
  },
  {
    id: '73',
    title: 'a copy in memory that is executed',
    setup: 'cp /usr/local/bin/op $D/prog',
    protect: [{ path: '$D/prog' }],
    deny: ['execute'],
    attempts: [X('exec-memory', '$D/prog'), D('exec', '$D/prog')],
  },
  {
    id: '76',
    title: 'AT_EXECVE_CHECK',
    setup: 'cp /usr/local/bin/op $D/prog',
    protect: [{ path: '$D/prog' }],
    deny: ['execute'],
    attempts: [D('execve-check', '$D/prog')],
    differences: [
      { when: (kernel) => !isFrom(kernel, 6, 14), text: 'AT_EXECVE_CHECK came with 6.14' },
    ],
  },
];
