// SPDX-License-Identifier: Apache-2.0
// What set-up cannot bring by itself, checked before anything is changed.

import { mkdirSync, statfsSync } from 'node:fs';
import { SetupError } from './errors.mjs';
import { LAB_CACHE, ROOT } from './paths.mjs';
import { tryRun } from './run.mjs';

const NODE_MAJOR_MIN = 18;
const FREE_MB_MIN = 1500;

export function checkPreconditions() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NODE_MAJOR_MIN)
    throw new SetupError(
      `set-up runs on Node ${NODE_MAJOR_MIN} or newer, this is ${process.version}`,
      {
        hint: 'install a newer Node; set-up brings the pinned one for everything else',
      },
    );
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      `Warder is built and tested on Linux x86-64, this is ${process.platform} ${process.arch}`,
      {
        hint: 'run it in an x86-64 Debian 12 machine or virtual machine',
      },
    );
  if (tryRun('git', ['--version']) === null)
    throw new SetupError('git is not installed', { hint: 'as root: apt-get install git' });
  for (const folder of [ROOT, LAB_CACHE]) checkSpace(folder);
}

function checkSpace(folder) {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new SetupError(`cannot write to ${folder}: ${cause.message}`, {
      hint: 'set WARDER_LAB_CACHE to a folder that you can write to',
    });
  }
  const { bavail, bsize } = statfsSync(folder);
  const freeMb = Math.floor((bavail * bsize) / 1e6);
  if (freeMb < FREE_MB_MIN)
    throw new SetupError(
      `only ${freeMb} MB are free on the disk of ${folder}, set-up needs ${FREE_MB_MIN} MB`,
      {
        hint: 'free some space and run it again',
      },
    );
}
