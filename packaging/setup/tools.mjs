// SPDX-License-Identifier: Apache-2.0
// Brings oras and cosign, which Debian 12 does not carry, from Debian's unstable suite into .tools/bin.
//
// The programs need nothing but libc, so their packages are unpacked and not installed.

import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
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

/** Names the tools that are neither in .tools/bin nor in the cache, with their least versions. */
export function findMissingTools() {
  return TOOLS.filter((tool) => !isPrepared(tool) && cached(tool) === null).map(
    ({ name, versionMin }) => `${name} (${versionMin.join('.')} or newer)`,
  );
}

function isPrepared(tool) {
  return existsSync(join(TOOLS_BIN, tool.name));
}

// A file of the cache that cannot be unpacked was damaged since apt verified it: it is fetched again.
function unpackCached(tool) {
  const deb = cached(tool);
  if (deb === null) return false;
  try {
    unpack(tool, deb);
    return true;
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    rmSync(deb, { force: true });
    return false;
  }
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
