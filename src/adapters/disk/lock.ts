// One process per state folder. The lock is SQLite's exclusive lock on an empty database, which is a
// POSIX record lock: the kernel lets go of it when the process dies, however it dies, so a file that
// was left behind locks nobody out. Node has no flock of its own.
//
// SPDX-License-Identifier: Apache-2.0

import { DatabaseSync } from 'node:sqlite';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { sqliteCode, toStateFailure } from './database.ts';

/** Held until released or until the process ends. */
export interface Lock {
  release(): void;
}

const SQLITE_BUSY = 5;

/** Takes the lock at `path`, or answers `state/locked` at once: waiting would hide the second process. */
export function acquireLock(path: string): Result<Lock> {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const held = database;
    return ok({ release: () => held.close() });
  } catch (cause) {
    if (database?.isOpen) database.close();
    if (sqliteCode(cause) !== SQLITE_BUSY) return err(toStateFailure(cause, `locking ${path}`));
    return err(
      failure('state/locked', `another process holds ${path}`, {
        hints: ['stop the other process, or give this one a state folder of its own'],
      }),
    );
  }
}
