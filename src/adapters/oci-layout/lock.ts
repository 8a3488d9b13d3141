// One writer of a layout at a time, in this process and among the Warders of this host: index.json is
// read, changed and written back, and two writers at once would lose entries. Other programs do not know
// the lock; what they lose is found when a publisher lists back.
//
// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { err, failure, type Result } from '../../core/result.ts';
import { makeFolders } from './files.ts';

const WAIT_MS = 5000;
const BUSY = 5;
const CANNOT_OPEN = 14;
const READ_ONLY = 8;
// A write in this process waits here, because the wait of SQLite stops the whole process.
const last = new Map<string, Promise<unknown>>();

/** Writes to the layout while nobody else does; `state/locked` when somebody does for too long. */
export function writeAlone<T>(dir: string, write: () => Promise<Result<T>>): Promise<Result<T>> {
  const mine = (last.get(dir) ?? Promise.resolve()).then(() => locked(dir, write));
  const done = mine.catch(() => undefined);
  last.set(dir, done);
  return mine;
}

async function locked<T>(dir: string, write: () => Promise<Result<T>>): Promise<Result<T>> {
  const made = await makeFolders(dir);
  if (!made.ok) return made;
  let database: DatabaseSync | null = null;
  try {
    // The lock is the kernel's, on an empty database: it ends with the process, however that ends.
    database = new DatabaseSync(join(dir, '.warder-lock'), { timeout: WAIT_MS });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    if (database?.isOpen) database.close();
    return err(toFailure(dir, cause));
  }
  try {
    return await write();
  } finally {
    database.close();
  }
}

function toFailure(dir: string, cause: unknown) {
  const { errcode } = cause as { readonly errcode?: number };
  if (errcode === BUSY) {
    const hints = ['wait for the other publisher, then publish again'];
    return failure('state/locked', `another process writes to ${dir}`, { hints });
  }
  if (errcode === CANNOT_OPEN || errcode === READ_ONLY) {
    return failure('fetch/registry-unavailable', `cannot write ${dir}`);
  }
  throw cause;
}
