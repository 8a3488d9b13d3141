// The survival set: what must keep working on a host so that a bad policy can still be taken back.
// Each member names the state it lives on, what it does there, and the programs that it is.
//
// Invariant: a member stays alive when at least one of its programs stays exempt; distributions differ
// in which of them exist.
//
// SPDX-License-Identifier: Apache-2.0

import { MODIFY, type Operation } from './document.ts';

/** What somebody needs to do, where, and as which programs. */
export interface SurvivalNeed {
  readonly member: 'warder' | 'init' | 'package manager' | 'login of root';
  readonly operations: readonly Operation[];
  /** Each as a tree: itself and everything below. */
  readonly paths: readonly string[];
  /** Exempting one of these, or uid 0, keeps the member alive. */
  readonly exes: readonly string[];
}

const WARDER = [
  '/usr/bin/warder',
  '/usr/lib/warder/warder-enforcer',
  '/usr/lib/warder/warder-agent',
];
const INIT = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd', '/sbin/init', '/usr/sbin/init'];
const PACKAGES = ['/usr/bin/dpkg', '/usr/bin/rpm', '/usr/bin/apt-get', '/usr/bin/dnf'];
const LOGIN = [
  '/bin/login',
  '/usr/bin/login',
  '/usr/bin/su',
  '/usr/bin/sudo',
  '/usr/sbin/agetty',
  '/usr/sbin/sshd',
  '/usr/sbin/sulogin',
];
const SHELLS = [
  '/bin/bash',
  '/bin/dash',
  '/bin/sh',
  '/usr/bin/bash',
  '/usr/bin/dash',
  '/usr/bin/sh',
];
const LIBRARIES = ['/lib', '/lib64', '/usr/lib', '/usr/lib64'];

/** Everything that lint keeps alive. */
export const SURVIVAL: readonly SurvivalNeed[] = [
  {
    member: 'warder',
    operations: ['read', ...MODIFY],
    paths: ['/run/warder', '/var/lib/warder'],
    exes: WARDER,
  },
  { member: 'warder', operations: ['read'], paths: ['/etc/warder'], exes: WARDER },
  { member: 'warder', operations: ['read', 'execute'], paths: WARDER, exes: [] },
  { member: 'init', operations: ['read', ...MODIFY], paths: ['/run/systemd'], exes: INIT },
  { member: 'init', operations: ['read'], paths: ['/etc/systemd', '/etc/fstab'], exes: INIT },
  { member: 'init', operations: ['execute'], paths: [...INIT, ...LIBRARIES], exes: [] },
  { member: 'init', operations: ['read'], paths: LIBRARIES, exes: [] },
  {
    member: 'package manager',
    operations: ['read', ...MODIFY],
    paths: ['/var/cache/apt', '/var/lib/apt', '/var/lib/dpkg', '/var/lib/rpm'],
    exes: PACKAGES,
  },
  { member: 'package manager', operations: ['execute'], paths: PACKAGES, exes: [] },
  {
    member: 'login of root',
    operations: ['read'],
    paths: ['/etc/nsswitch.conf', '/etc/pam.d', '/etc/passwd', '/etc/security', '/etc/shadow'],
    exes: LOGIN,
  },
  { member: 'login of root', operations: ['execute'], paths: [...LOGIN, ...SHELLS], exes: [] },
];
