// SPDX-License-Identifier: Apache-2.0
// Installs the npm packages of the lockfile, among them the pinned Node that everything else runs on.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { PINNED_NODE, ROOT } from './paths.mjs';
import { run, tryRun } from './run.mjs';

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
  if (tryRun(PINNED_NODE, ['--version']) === null)
    throw new SetupError(`the pinned Node is not at ${PINNED_NODE} or does not run here`, {
      hint: 'it is an optional dependency: check that npm does not omit those ("npm config get omit")',
    });
  writeFileSync(STAMP, wanted);
  return true;
}
