// SPDX-License-Identifier: Apache-2.0
// The first half of set-up, which brings the pinned Node and then hands over to it (prepare.mjs).
//
// Every step brings one thing, does nothing when it is there, and says so in one line. Downloads are kept
// outside the checkout (WARDER_LAB_CACHE, npm's cache), so that repeating any of this needs no network.
// Absent: anything that a Node 18.0 cannot do.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepareDebianPackages } from './debian-packages.mjs';
import { holdLock } from './lock.mjs';
import { prepareNodePackages } from './node-packages.mjs';
import { PINNED_NODE, ROOT } from './paths.mjs';
import { checkPreconditions } from './preconditions.mjs';
import { runSteps } from './steps.mjs';

const SECOND_HALF = fileURLToPath(new URL('./prepare.mjs', import.meta.url));

let release;
const ready = await runSteps([
  ['machine', checkPreconditions],
  // One set-up at a time in a checkout: npm and make would pull files away from under each other.
  ['lock', lock],
  ['Debian packages', prepareDebianPackages],
  ['npm packages and the pinned Node', prepareNodePackages],
]);
if (ready)
  process.exitCode = spawnSync(PINNED_NODE, [SECOND_HALF], { stdio: 'inherit' }).status ?? 1;
release?.();

async function lock() {
  release = await holdLock(ROOT);
}
