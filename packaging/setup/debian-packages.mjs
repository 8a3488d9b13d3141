// SPDX-License-Identifier: Apache-2.0
// The Debian packages that building and testing Warder needs: found out, and installed when this is root.

import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { SetupError } from './errors.mjs';
import { run, tryRun } from './run.mjs';

const LOG = 'debian-packages';
const POLICY = '/usr/sbin/policy-rc.d';

export const PACKAGES = [
  'bpftool',
  'busybox-static', // the guest's user space
  'clang', // the BPF programs
  'clang-format',
  'docker-registry', // the registry of tests and demo, on loopback
  'e2fsprogs', // disks for the guest
  'g++', // the addon, and C under sanitizers
  'libbpf-dev',
  'libc6-dev',
  'libelf-dev',
  'llvm', // llvm-strip, llvm-objdump
  'make',
  'openssl',
  'pkg-config',
  'qemu-system-x86', // the guest
  'xz-utils', // newer kernels compress their modules
  'zlib1g-dev',
];

/** Installs what is missing; returns false when nothing was. */
export function prepareDebianPackages() {
  const missing = findMissing(PACKAGES);
  // Debian's own nodejs comes without npm.
  if (tryRun('npm', ['--version']) === null) missing.push('npm');
  if (missing.length === 0) return false;
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (tryRun('apt-get', ['--version']) === null)
    throw new SetupError(`these Debian packages are missing: ${missing.join(', ')}`, {
      hint: 'this machine has no apt: run it on Debian 12, or install what they hold by other means',
    });
  if (process.getuid() !== 0)
    throw new SetupError(`these Debian packages are missing: ${missing.join(', ')}`, {
      hint: `as root: ${command}`,
    });
  withoutServices(() => install(missing, command));
  return true;
}

/** Lists the packages that are not installed. */
export function findMissing(names) {
  const selections = tryRun('dpkg', ['--get-selections']) ?? '';
  const installed = new Set(
    selections.split('\n').map((line) => /^([^:\s]+)(?::\S+)?\s+(?:install|hold)$/.exec(line)?.[1]),
  );
  return names.filter((name) => !installed.has(name));
}

function install(missing, command) {
  const args = [
    'install',
    '--yes',
    '--quiet',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    ...missing,
  ];
  const options = {
    log: LOG,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    hint: `try it by hand: ${command}`,
  };
  try {
    run('apt-get', args, options);
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    // The usual reason: package lists that are missing, or older than the mirror's packages.
    run('apt-get', ['update', '--quiet'], {
      log: LOG,
      hint: 'installing packages needs the network',
    });
    run('apt-get', args, options);
  }
}

// Installing docker-registry would start it as a service; the tests start their own on a port of their own.
function withoutServices(action) {
  if (existsSync(POLICY)) return action();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
  chmodSync(POLICY, 0o755);
  try {
    return action();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
