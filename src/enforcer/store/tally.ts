// What became of the events that the kernel handed over: explained and kept, canaries of this process,
// counted without an explanation, or unreadable. The four add up to what was taken from the rings.
//
// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync } from 'node:sqlite';
import type { SuppressedEvents } from '../../core/enforcement.ts';

/** Counts since the rings were made. */
export interface Tally {
  /** Which rings: how often they were made since there is this store. */
  readonly rings: number;
  readonly told: number;
  readonly canaries: number;
  readonly suppressed: number;
  readonly unread: number;
}

/** No event yet. */
export const NO_TALLY: Tally = { rings: 0, told: 0, canaries: 0, suppressed: 0, unread: 0 };

/** A group of events that were counted and not explained. */
export type Suppressed = SuppressedEvents;

// A host has few rules that are hammered; beyond this the groups seen longest ago go, the total stays.
const GROUPS_MAX = 1000;

/** Adds what one drain suppressed. Inside the caller's transaction. */
export function addSuppressed(database: DatabaseSync, groups: Iterable<Suppressed>): void {
  const insert = database.prepare(
    `INSERT INTO suppressed (rule, action, reason, generation, count, first_at, last_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (rule, action, reason, generation) DO UPDATE SET
         count = count + excluded.count, last_at = excluded.last_at`,
  );
  for (const { rule, action, reason, generation, count, firstAt, lastAt } of groups) {
    insert.run(rule ?? '', action, reason, generation, count, firstAt, lastAt);
  }
  database
    .prepare(
      `DELETE FROM suppressed WHERE rowid NOT IN
         (SELECT rowid FROM suppressed ORDER BY last_at DESC LIMIT ?)`,
    )
    .run(GROUPS_MAX);
}

/** The groups seen last, newest first. */
export function listSuppressed(database: DatabaseSync, limit: number): readonly Suppressed[] {
  const rows = database
    .prepare('SELECT * FROM suppressed ORDER BY last_at DESC, count DESC LIMIT ?')
    .all(limit);
  return rows.map((row) => ({
    rule: row['rule'] === '' ? null : String(row['rule']),
    action: String(row['action']) as Suppressed['action'],
    reason: String(row['reason']) as Suppressed['reason'],
    generation: Number(row['generation']),
    count: Number(row['count']),
    firstAt: String(row['first_at']),
    lastAt: String(row['last_at']),
  }));
}
