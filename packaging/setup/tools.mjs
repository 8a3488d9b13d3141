// SPDX-License-Identifier: Apache-2.0
// Brings oras and cosign, which Debian 12 does not carry, from Debian's unstable suite into .tools/bin.
//
// The programs need nothing but libc, so their packages are unpacked and not installed.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { LAB_CACHE, ROOT, TOOLS_BIN } from './paths.mjs';
import { run, tryRun } from './run.mjs';
import { openSuite } from './suite.mjs';

const LOG = 'tools';
const SUITE = 'unstable';

export const TOOLS = [
  { name: 'oras', versionMin: [1, 3, 3] },
  { name: 'cosign', versionMin: [3, 0, 0] },
];

/** Puts every tool into .tools/bin; returns false when all were there already. */
export function prepareTools() {
  const missing = TOOLS.filter((tool) => !isPrepared(tool));
  if (missing.length === 0) return false;
  mkdirSync(TOOLS_BIN, { recursive: true });
  let suite = null;
  for (const tool of missing) {
    if (unpackCached(tool)) continue;
    suite ??= openSuite(SUITE, LOG);
    unpack(tool, suite.download(tool.name));
  }
  return true;
}

/** Takes the tools of another system than Debian; names those that are missing or too old. */
export function takeInstalledTools() {
  return TOOLS.filter((tool) => !isPrepared(tool) && !linkInstalled(tool)).map(
    ({ name, versionMin }) => `${name} (${versionMin.join('.')} or newer)`,
  );
}

function isPrepared(tool) {
  return existsSync(join(TOOLS_BIN, tool.name));
}

// A file of the cache that cannot be read to its end was damaged since apt verified it: it is fetched again.
function unpackCached(tool) {
  const deb = cached(tool);
  if (deb === null) return false;
  run('dpkg-deb', ['--version'], { log: LOG });
  const readable = 'exec dpkg-deb --fsys-tarfile "$1" >/dev/null';
  if (tryRun('sh', ['-c', readable, 'sh', deb]) === null) {
    rmSync(deb, { force: true });
    return false;
  }
  unpack(tool, deb);
  return true;
}

// Where there is no Debian to take it from, one that the machine has is as good.
function linkInstalled(tool) {
  const path = tryRun('sh', ['-c', 'command -v "$1"', 'sh', tool.name])?.trim();
  if (!path || !isNewEnough(tryRun(path, ['version']) ?? '', tool.versionMin)) return false;
  mkdirSync(TOOLS_BIN, { recursive: true });
  symlinkSync(realpathSync(path), join(TOOLS_BIN, tool.name));
  return true;
}

function cached(tool) {
  const debs = join(LAB_CACHE, 'debs');
  const names = existsSync(debs) ? readdirSync(debs) : [];
  const usable = names.filter(
    (name) => name.startsWith(`${tool.name}_`) && isNewEnough(name, tool.versionMin),
  );
  const newest = usable.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest ? join(debs, newest) : null;
}

function unpack(tool, deb) {
  const folder = join(ROOT, '.tools', `.unpacking-${tool.name}`);
  rmSync(folder, { recursive: true, force: true });
  run('dpkg', ['-x', deb, folder], { log: LOG });
  const binary = join(folder, 'usr', 'bin', tool.name);
  // The package's version is the one to trust: Debian's cosign calls itself "devel".
  const version = run('dpkg-deb', ['--field', deb, 'Version'], { log: LOG }).trim();
  if (!isNewEnough(version, tool.versionMin))
    throw new SetupError(
      `Debian ${SUITE} carries ${tool.name} ${version}, older than ${tool.versionMin.join('.')}`,
    );
  if (tryRun(binary, ['version']) === null)
    throw new SetupError(`${tool.name} ${version} does not run on this machine`, {
      hint: `try "${binary} version"`,
    });
  // Copied and renamed, so that an interrupted set-up never leaves half a program behind.
  copyFileSync(binary, join(TOOLS_BIN, `.${tool.name}`));
  renameSync(join(TOOLS_BIN, `.${tool.name}`), join(TOOLS_BIN, tool.name));
  rmSync(folder, { recursive: true, force: true });
}

function isNewEnough(text, versionMin) {
  const version = /(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (!version) return false;
  for (const [index, least] of versionMin.entries())
    if (version[index] !== least) return version[index] > least;
  return true;
}
