// SPDX-License-Identifier: Apache-2.0
// Writes bin/warder and bin/warder-enforcer, which run this checkout's sources on the pinned Node.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAUNCHERS } from './paths.mjs';

const PROGRAMS = { warder: 'src/main.ts', 'warder-enforcer': 'src/enforcer/main.ts' };

/** Writes the launchers; returns false when they were there already. */
export function writeLaunchers() {
  mkdirSync(LAUNCHERS, { recursive: true });
  return Object.entries(PROGRAMS)
    .map(([name, source]) => writeLauncher(name, source))
    .includes(true);
}

function writeLauncher(name, source) {
  const file = join(LAUNCHERS, name);
  const text = `#!/bin/sh
# Written by "make setup". It may be linked to from a folder of PATH.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$root/node_modules/.bin/node" --disable-warning=ExperimentalWarning "$root/${source}" "$@"
`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return true;
}
