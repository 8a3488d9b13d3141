// A SQLite database as both processes use it: WAL with synchronous=FULL, so that a transaction that
// answered is on the disk; checked as a whole when it is opened, so that corruption is found at start
// and not in the middle of a decision. Migrations are a list: its length is the version of the file,
// and a file newer than this program is refused rather than guessed at.
//
// SPDX-License-Identifier: Apache-2.0

import { DatabaseSync } from 'node:sqlite';
import type { ErrorCode } from '../../core/errors.ts';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Opens, checks and migrates a database; `state/corrupt` when it does not hold together. */
export function openDatabase(path: string, migrations: readonly string[]): Result<DatabaseSync> {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 5_000 });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const problem = checkIntegrity(database, path) ?? migrate(database, path, migrations);
    if (problem === null) return ok(database);
    database.close();
    return err(problem);
  } catch (cause) {
    if (database?.isOpen) database.close();
    return err(toStateFailure(cause, `opening ${path}`));
  }
}

function checkIntegrity(database: DatabaseSync, path: string): Failure | null {
  const rows = database.prepare('PRAGMA integrity_check(8)').all();
  const problems = rows.map((row) => String(row['integrity_check']));
  if (problems.length === 1 && problems[0] === 'ok') return null;
  return failure('state/corrupt', `${path} fails its integrity check`, { causes: problems });
}

function migrate(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
): Failure | null {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > migrations.length) {
    return failure('state/corrupt', `${path} was written by a newer version of Warder`, {
      hints: ['run the newer version, or move the state aside'],
    });
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    const done = transaction(database, `migrating ${path}`, () =>
      database.exec(`${sql}; PRAGMA user_version = ${index + 1}`),
    );
    if (!done.ok) return done.error;
  }
  return null;
}

/** Runs `body` as one transaction; an answer means that it is on the disk. */
export function transaction<T>(
  database: DatabaseSync,
  doing: string,
  body: () => T,
  code: ErrorCode = 'record/write-failed',
): Result<T> {
  try {
    database.exec('BEGIN IMMEDIATE');
    const value = body();
    database.exec('COMMIT');
    return ok(value);
  } catch (cause) {
    // After a full disk SQLite may have rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    return err(toStateFailure(cause, doing, code));
  }
}

/** Translates what SQLite refuses because of the disk or another process; anything else is a bug. */
export function toStateFailure(
  cause: unknown,
  doing: string,
  code: ErrorCode = 'record/write-failed',
): Failure {
  const text = cause instanceof Error ? [cause.message] : [];
  switch (sqliteCode(cause)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return failure('state/corrupt', `${doing} failed: the file is damaged`, { causes: text });
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return failure('state/locked', `${doing} failed: another process holds it`, { causes: text });
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
      return failure(code, `${doing} failed: the disk refused`, { causes: text });
    default:
      throw cause;
  }
}

/** The primary result code of an SQLite error; null for anything else. */
export function sqliteCode(cause: unknown): number | null {
  if (!(cause instanceof Error) || !('errcode' in cause)) return null;
  const extended = cause.errcode;
  return typeof extended === 'number' ? extended & 0xff : null;
}
