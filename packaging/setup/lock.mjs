// SPDX-License-Identifier: Apache-2.0
// Lets one process at a time work in a folder; the others wait and say so.
//
// The folder itself is locked (flock), so no file is left behind. The lock is held by a child that ends with
// the pipe from this process: it cannot outlive a set-up that is killed.

import { spawn } from 'node:child_process';
import { SetupError } from './errors.mjs';

const WAIT_SHOWN_AFTER_MS = 1000;

/** Waits until no other process holds the folder; returns what gives it back. */
export function holdLock(folder) {
  const holder = spawn('flock', [folder, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const timer = setTimeout(
    () => process.stdout.write(`setup  another set-up is at work in ${folder}, waiting for it\n`),
    WAIT_SHOWN_AFTER_MS,
  );
  return new Promise((resolve, reject) => {
    holder.once('error', () => reject(problem('the command "flock" is not installed')));
    holder.once('close', () => reject(problem(`cannot lock ${folder}`)));
    holder.stdout.once('data', () => resolve(() => holder.stdin.end()));
  }).finally(() => clearTimeout(timer));
}

/** Runs an action while this process holds the folder. */
export async function withLock(folder, action) {
  const release = await holdLock(folder);
  try {
    return await action();
  } finally {
    release();
  }
}

function problem(message) {
  return new SetupError(message, { hint: 'flock is in the package util-linux' });
}
