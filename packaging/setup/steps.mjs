// SPDX-License-Identifier: Apache-2.0
// Runs set-up's steps in order with one line of progress each, and ends at the first that fails.

import { SetupError } from './errors.mjs';

const WIDTH = 36;

/**
 * Runs [title, action] pairs. An action returns false when there was nothing to do, nothing when it only
 * checked, a text to show, or throws SetupError. Resolves to whether all of them succeeded.
 */
export async function runSteps(steps) {
  for (const [title, action] of steps) {
    const startedMs = Date.now();
    try {
      const outcome = await action();
      if (outcome === undefined) continue;
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      const detail = typeof outcome === 'string' ? `, ${outcome}` : '';
      report(title, outcome === false ? 'up to date' : `${seconds} s${detail}`);
    } catch (cause) {
      const known = toSetupError(cause);
      report(title, 'failed');
      process.stderr.write(`error: ${known.message}\n`);
      if (known.log) process.stderr.write(`  log: ${known.log}\n`);
      if (known.hint) process.stderr.write(`hint: ${known.hint}\n`);
      process.exitCode = 1;
      return false;
    }
  }
  return true;
}

function report(title, what) {
  process.stdout.write(`setup  ${title.padEnd(WIDTH)} ${what}\n`);
}

// A full or read-only disk shows wherever something is written; anything else unknown is a bug.
function toSetupError(cause) {
  if (cause instanceof SetupError) return cause;
  if (cause?.code === 'ENOSPC')
    return new SetupError('the disk is full', { hint: 'free some space and run it again' });
  if (cause?.code === 'EROFS' || cause?.code === 'EACCES')
    return new SetupError(`cannot write: ${cause.message}`, {
      hint: 'run it as the owner of the checkout',
    });
  throw cause;
}
