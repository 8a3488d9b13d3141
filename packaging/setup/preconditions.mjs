// SPDX-License-Identifier: Apache-2.0
// What set-up cannot bring by itself, checked before anything is changed.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { BUILD, LAB_CACHE, ROOT } from './paths.mjs';
import { tryRun } from './run.mjs';

// What the first set-up writes, with a little room; a repeated one writes next to nothing.
const CHECKOUT_MB = 1000;
const CACHE_MB = 300;

/** Throws SetupError when this machine cannot be set up. */
export function checkPreconditions() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      `Warder is built and tested on Linux x86-64, this is ${process.platform} ${process.arch}`,
      {
        hint: 'run it in an x86-64 Debian 12 machine or virtual machine',
      },
    );
  if (tryRun('git', ['--version']) === null)
    throw new SetupError('git is not installed', { hint: 'as root: apt-get install git' });
  checkSpace(ROOT, existsSync(join(BUILD, 'guest')) ? 0 : CHECKOUT_MB);
  checkSpace(LAB_CACHE, existsSync(join(LAB_CACHE, 'kernels')) ? 0 : CACHE_MB);
}

function checkSpace(folder, neededMb) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new SetupError(`cannot write to ${folder}: ${cause.message}`, {
      hint: 'set WARDER_LAB_CACHE to a folder that you can write to',
    });
  }
  // By a command, because Node has statfs only from 18.15.
  const [blocks, bytes] = (tryRun('stat', ['-f', '-c', '%a %S', folder]) ?? '').split(' ');
  const freeMb = Math.floor((Number(blocks) * Number(bytes)) / 1e6);
  if (freeMb < neededMb)
    throw new SetupError(
      `only ${freeMb} MB are free on the disk of ${folder}, set-up needs ${neededMb} MB`,
      { hint: 'free some space and run it again' },
    );
}
