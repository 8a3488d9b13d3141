// SPDX-License-Identifier: Apache-2.0
// Installs the npm packages of the lockfile, among them the pinned Node that everything else runs on.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { completeNativePackages } from './native-packages.mjs';
import { PINNED_NODE, ROOT } from './paths.mjs';
import { run, tryRun } from './run.mjs';

const RUNTIME = `node-linux-${process.arch}`;
const STAMP = join(ROOT, 'node_modules', '.warder-lockfile');

/** Runs "npm ci" when the lockfile has changed; returns false when it has not. */
export function prepareNodePackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const have = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : '';
  if (have === wanted && existsSync(PINNED_NODE)) return false;
  // Errors only: the machine's own npm warns that its Node is older than package.json asks for.
  // Its cache first: the lockfile pins every package by hash, so an old answer is as good as a new one.
  run(
    'npm',
    ['ci', '--ignore-scripts', '--loglevel=error', '--prefer-offline', '--no-audit', '--no-fund'],
    {
      log: 'node-packages',
    },
  );
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  completeNativePackages(ROOT, packages);
  linkPinnedNode();
  if (tryRun(PINNED_NODE, ['--version']) === null)
    throw new SetupError(`the pinned Node at ${PINNED_NODE} does not run here`, {
      hint: `try "${PINNED_NODE} --version"`,
    });
  writeFileSync(STAMP, wanted);
  return true;
}

// npm 9 installs the package and then takes its link away, together with the package for the other
// processor, which has a link of the same name.
function linkPinnedNode() {
  if (existsSync(PINNED_NODE)) return;
  const program = join(ROOT, 'node_modules', RUNTIME, 'bin', 'node');
  if (!existsSync(program))
    throw new SetupError(`npm did not install ${RUNTIME}, the pinned Node`, {
      hint: 'it is an optional dependency: check that npm does not omit those ("npm config get omit")',
    });
  chmodSync(program, 0o755);
  symlinkSync(join('..', RUNTIME, 'bin', 'node'), PINNED_NODE);
}
