// Whom a rule is about: units, control groups, parents, scopes.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, SCOPE_UNIT, SECRET, secret } from './case.ts';

const GROUP = 'cases.slice/exempt.service';
const PROCS = '/sys/fs/cgroup/cgroup.procs';

/** See the head of this file. */
export const SUBJECTS: readonly Case[] = [
  {
    id: '97',
    title: 'a control group that is removed takes its exemption with it',
    setup: SECRET,
    protect: secret,
    deny: ['read'],
    except: ['unit: gone.service'],
    attempts: [
      { ...A('open-read', '$D/secret'), within: 'system.slice/gone.service' },
      {
        ...D('open-read', '$D/secret'),
        within: 'system.slice/next.service',
        before: 'rmdir /sys/fs/cgroup/system.slice/gone.service',
      },
      { ...A('open-read', '$D/secret'), within: 'system.slice/gone.service' },
    ],
  },
  {
    id: '98',
    title: 'a process that moves to another control group is judged by that one',
    setup: SECRET,
    protect: secret,
    deny: ['read'],
    except: [`cgroup: /${GROUP}`],
    attempts: [{ ...D('migrate-open', '$D/secret', PROCS), within: GROUP }],
  },
  {
    id: '118b',
    smoke: true,
    title: 'an exempt unit, below any slice, and nobody who only calls himself so',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    except: ['unit: exempt.service'],
    attempts: [
      { ...A('open-rdwr', '$D/secret'), within: GROUP },
      { ...A('open-rdwr', '$D/secret'), within: 'exempt.service/below' },
      { ...D('open-rdwr', '$D/secret'), within: 'user.service/exempt.service' },
      { ...D('open-rdwr', '$D/secret'), within: 'cases.slice/exempt.service2' },
      D('open-rdwr', '$D/secret'),
    ],
  },
  {
    id: '118c',
    title: 'an exempt control group with everything below it, at any depth',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    except: ['cgroup: /deep.slice/a/b'],
    attempts: [
      { ...A('open-rdwr', '$D/secret'), within: 'deep.slice/a/b' },
      { ...A('open-rdwr', '$D/secret'), within: `deep.slice/a/b${'/c'.repeat(20)}` },
      { ...D('open-rdwr', '$D/secret'), within: 'deep.slice/a' },
      { ...D('open-rdwr', '$D/secret'), within: 'deep.slice/a/bb' },
      { ...D('open-rdwr', '$D/secret'), within: 'other.slice/deep.slice/a/b' },
    ],
  },
  {
    id: '118d',
    smoke: true,
    title: 'children of an exempt parent program',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    except: ['parentExe: /usr/local/bin/parent-op'],
    attempts: [
      { ...A('spawn-open', '/usr/local/bin/op', '$D/secret'), by: '/usr/local/bin/parent-op' },
      D('spawn-open', '/usr/local/bin/op', '$D/secret'),
      { ...D('open-read', '$D/secret'), by: '/usr/local/bin/parent-op' },
    ],
  },
  {
    id: '118e',
    smoke: true,
    title: 'a policy with a scope concerns the unit, from its first moment, and nobody else',
    setup: SECRET,
    protect: secret,
    deny: 'all',
    scoped: true,
    attempts: [
      { ...D('open-rdwr', '$D/secret'), within: `late.slice/${SCOPE_UNIT}` },
      { ...D('open-rdwr', '$D/secret'), within: `${SCOPE_UNIT}/below/it` },
      { ...A('open-rdwr', '$D/secret'), within: `other.service/${SCOPE_UNIT}` },
      A('open-rdwr', '$D/secret'),
    ],
  },
];
