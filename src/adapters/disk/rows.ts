// The tables of the agent's database and how their rows become core types. SQLite tells a torn page
// from a good one but not a flipped bit inside a value, so rows that decide something carry a checksum
// of their own. A damaged admission is forgotten and said so: forgetting costs a verification.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../core/digest.ts';
import type { StoreContents } from '../../core/machine/contents.ts';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { Floor } from '../../core/verify/verdict.ts';
import { parseFloorRow, parseGenerationRow, parseQuarantineRow } from '../../wire/state.ts';
import { toStateFailure } from './database.ts';

/** `place` orders what was recorded: the highest is active, the next one previous. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE floor (
     id INTEGER PRIMARY KEY CHECK (id = 1), highest_seen INTEGER NOT NULL, digest TEXT NOT NULL,
     sum TEXT NOT NULL) STRICT;
   CREATE TABLE generation (
     digest TEXT PRIMARY KEY, version INTEGER NOT NULL, trust TEXT, sum TEXT NOT NULL,
     evidence TEXT, decision TEXT, admitted_at TEXT, place INTEGER UNIQUE, recorded_at TEXT) STRICT;
   CREATE TABLE quarantine (
     digest TEXT PRIMARY KEY, code TEXT NOT NULL, attempts INTEGER NOT NULL,
     retry_after_ms INTEGER NOT NULL, trust TEXT NOT NULL, agent TEXT NOT NULL) STRICT`,
];

/** Evidence that is kept, newest admission last. */
export const EVIDENCE_SQL =
  'SELECT digest, evidence FROM generation WHERE evidence IS NOT NULL ORDER BY version';

/** What the rows say; the floor apart, for it has a second copy. */
export interface Rows {
  readonly floor: Result<Floor | null>;
  readonly contents: Pick<StoreContents, 'active' | 'generations' | 'quarantine'>;
}

/** The checksum that a row carries over the values that decide something. */
export function sumOf(...values: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}

/** Reads every row; damaged ones are left out and added to `repaired`. */
export function readRows(database: DatabaseSync, repaired: Failure[]): Result<Rows> {
  try {
    const { generations, active } = readGenerations(database, repaired);
    const quarantine = readQuarantine(database, repaired);
    return ok({ floor: readFloor(database), contents: { active, generations, quarantine } });
  } catch (cause) {
    return err(toStateFailure(cause, 'reading the state', 'state/corrupt'));
  }
}

function readFloor(database: DatabaseSync): Result<Floor | null> {
  const row = database.prepare('SELECT highest_seen, digest, sum FROM floor').get();
  if (row === undefined) return ok(null);
  const { highest_seen: highestSeen, digest, sum } = row;
  if (sum !== sumOf(Number(highestSeen), String(digest))) return damaged('floor');
  return parseFloorRow({ highestSeen, digest });
}

function readGenerations(database: DatabaseSync, repaired: Failure[]) {
  const generations: StoreContents['generations'][number][] = [];
  let active: Digest | null = null;
  const sql = 'SELECT digest, version, trust, sum, place FROM generation ORDER BY place';
  for (const { digest, version, trust, sum, place } of database.prepare(sql).all()) {
    const good = sum === sumOf(String(digest), Number(version), trust === null ? null : `${trust}`);
    const row = good
      ? parseGenerationRow({ digest, version, trustFingerprint: trust })
      : damaged('admission');
    if (!row.ok) repaired.push(row.error);
    else generations.push(row.value);
    // By rising place: the last one read is active, unless its row is damaged.
    if (place !== null) active = row.ok ? row.value.digest : null;
  }
  return { generations, active };
}

function readQuarantine(database: DatabaseSync, repaired: Failure[]) {
  const entries: StoreContents['quarantine'][number][] = [];
  for (const row of database.prepare('SELECT * FROM quarantine').all()) {
    const { digest, code, attempts, retry_after_ms: retryAfterMs } = row;
    const { trust: trustFingerprint, agent: agentVersion } = row;
    const named = { digest, code, attempts, retryAfterMs, trustFingerprint, agentVersion };
    const entry = parseQuarantineRow(named);
    if (entry.ok) entries.push(entry.value);
    else repaired.push(entry.error);
  }
  return entries;
}

function damaged(what: string): Result<never> {
  return err(failure('state/corrupt', `the checksum of a stored ${what} does not hold`));
}
