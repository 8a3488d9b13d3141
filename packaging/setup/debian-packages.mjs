// SPDX-License-Identifier: Apache-2.0
// The Debian packages that building and testing Warder needs: found out, and installed when this is root.
//
// Elsewhere than on Debian nothing is installed: what is missing is named, all of it at once.

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { isDebian } from './mirrors.mjs';
import { PACKAGES } from './package-list.mjs';
import { run, tryRun } from './run.mjs';
import { takeInstalledTools } from './tools.mjs';

const LOG = 'debian-packages';
const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_TEXT =
  '#!/bin/sh\n# Written by the set-up of Warder, which takes it away.\nexit 101\n';

/** Installs what is missing; returns false when nothing was. */
export function prepareDebianPackages() {
  if (!isDebian() || tryRun('apt-get', ['--version']) === null) return checkElsewhere();
  const missing = findMissing(PACKAGES.map(({ name }) => name));
  // Debian's own nodejs comes without npm.
  if (tryRun('npm', ['--version']) === null) missing.push('npm');
  if (missing.length === 0) return false;
  const command = installCommand(missing);
  if (process.getuid() !== 0)
    throw new SetupError(`these Debian packages are missing: ${missing.join(', ')}`, {
      hint: `as root: ${command}`,
    });
  withoutServices(() => install(missing, command));
  return true;
}

/** Names what another system lacks; there is nothing to do when it has everything. */
export function checkElsewhere({ has = isThere, tools = takeInstalledTools() } = {}) {
  const packages = [...PACKAGES, { name: 'npm', probe: 'npm' }].filter(({ probe }) => !has(probe));
  const missing = [...packages.map(({ name }) => name), ...tools];
  if (missing.length === 0) return false;
  throw new SetupError(
    `set-up installs packages on Debian only, and this machine lacks: ${missing.join(', ')}`,
    {
      hint: 'install what these Debian packages hold, or run it on Debian 12; the guest kernel comes from Debian, or with a folder WARDER_LAB_CACHE that was filled there',
    },
  );
}

/** Returns the one command that installs packages by hand. */
export function installCommand(names) {
  return `apt-get update && apt-get install --no-install-recommends ${names.join(' ')}`;
}

/** Lists the packages that are not installed; half an installation is none. */
export function findMissing(names) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg fills these in
  const format = '${Package} ${db:Status-Status}\n';
  const states = tryRun('dpkg-query', ['--show', '--showformat', format]) ?? '';
  const installed = new Set(states.split('\n').map((line) => /^(\S+) installed$/.exec(line)?.[1]));
  return names.filter((name) => !installed.has(name));
}

function isThere(probe) {
  if (probe.startsWith('/')) return existsSync(probe);
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, probe)));
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
  const attempt = () => attemptRun('apt-get', args, { ...options, what: 'apt-get install' });
  if (attempt() === null) return;
  // The usual reasons: package lists that are missing or older than the mirror's packages, and an
  // installation that was killed. A source of the machine that fails matters only if the packages do.
  const stale = attemptRun('apt-get', ['update', '--quiet', '--error-on=any'], options);
  tryRun('dpkg', ['--configure', '-a'], { env: options.env });
  const failure = attempt();
  if (failure !== null) throw failure.hint === options.hint ? (stale ?? failure) : failure;
}

// Returns what went wrong, or null.
function attemptRun(command, args, options) {
  try {
    run(command, args, options);
    return null;
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    return cause;
  }
}

// Installing docker-registry would start it as a service; the tests start their own on a port of their own.
// A set-up that was killed leaves the file behind, and the next one takes it away.
function withoutServices(action) {
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== POLICY_TEXT) return action();
  writeFileSync(POLICY, POLICY_TEXT);
  chmodSync(POLICY, 0o755);
  try {
    return action();
  } finally {
    rmSync(POLICY, { force: true });
  }
}
