// SPDX-License-Identifier: Apache-2.0
// Brings the program that turns AppArmor's profiles into what a kernel takes, for measurements in a guest:
// unpacked into the cache, never installed, because installing it would confine programs of this machine.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_CACHE } from './paths.mjs';
import { run } from './run.mjs';
import { openSuite } from './suite.mjs';

const SUITE = 'bookworm';
const LOG = 'apparmor';

/** Returns the program's path in the cache; throws SetupError when it cannot be fetched. */
export function provideParser() {
  const folder = join(LAB_CACHE, 'apparmor');
  const parser = join(folder, 'sbin', 'apparmor_parser');
  if (existsSync(parser)) return parser;
  mkdirSync(folder, { recursive: true });
  run('dpkg', ['-x', openSuite(SUITE, LOG).download('apparmor'), folder], { log: LOG });
  return parser;
}
