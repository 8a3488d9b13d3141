// SPDX-License-Identifier: Apache-2.0
// Every folder that set-up and the guest laboratory write to, in one place.
//
// Downloads live outside the checkout, so that a fresh clone reuses them without a network;
// everything inside the checkout is ignored by git and rebuilt from them.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const LAB_CACHE = process.env.WARDER_LAB_CACHE || join(homedir(), '.cache', 'warder-lab');

export const LOGS = join(ROOT, '.cache', 'setup');
export const TOOLS_BIN = join(ROOT, '.tools', 'bin');
export const LAUNCHERS = join(ROOT, 'bin');
export const BUILD = join(ROOT, 'build');
export const PINNED_NODE = join(ROOT, 'node_modules', '.bin', 'node');
