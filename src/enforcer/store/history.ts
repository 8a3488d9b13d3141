// The newest events, so that a denial can be explained after the fact. Bounded: a flood of denials
// pushes old ones out, and the totals in the kernel stay exact.
//
// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../adapters/disk/database.ts';
import type { DecisionEvent } from '../../core/enforcement.ts';
import type { Result } from '../../core/result.ts';
import { addSuppressed, listSuppressed, NO_TALLY, type Suppressed, type Tally } from './tally.ts';

/** What came out of the rings at one time. */
export interface Taken {
  readonly events: readonly DecisionEvent[];
  readonly suppressed: readonly Suppressed[];
  readonly canaries: number;
  readonly unread: number;
}

/** Events in the order of their arrival. */
export class History {
  readonly #database: DatabaseSync;
  readonly #eventsMax: number;

  constructor(database: DatabaseSync, eventsMax: number) {
    this.#database = database;
    this.#eventsMax = eventsMax;
  }

  /** Appends and forgets the oldest beyond the bound. An id that is already there is kept. */
  append(taken: Taken): Result<void> {
    const { events, suppressed } = taken;
    return transaction(this.#database, 'recording events', () => {
      this.#count(taken);
      if (suppressed.length > 0) addSuppressed(this.#database, suppressed);
      if (events.length === 0) return;
      const insert = this.#database.prepare(
        'INSERT OR IGNORE INTO events (id, event) VALUES (?, ?)',
      );
      for (const event of events) insert.run(event.id, JSON.stringify(event));
      this.#database
        .prepare('DELETE FROM events WHERE position <= (SELECT max(position) FROM events) - ?')
        .run(this.#eventsMax);
    });
  }

  /** What became of the events so far. */
  tally(): Tally {
    const row = this.#database.prepare("SELECT value FROM facts WHERE name = 'tally'").get();
    const known = row === undefined ? {} : (JSON.parse(String(row['value'])) as Partial<Tally>);
    return { ...NO_TALLY, ...known };
  }

  /** The rings are new, and so are the kernel's counters: what they count must not have an older name. */
  beginTally(): Result<void> {
    return transaction(this.#database, 'counting events from 0', () =>
      this.#putTally({ ...NO_TALLY, rings: this.tally().rings + 1 }),
    );
  }

  /** Groups of events that were counted only, the latest first. */
  suppressed(limit: number): readonly Suppressed[] {
    return listSuppressed(this.#database, limit);
  }

  /** The newest `limit` events, newest last; with `after`, the oldest ones after that id. */
  list(limit: number, after?: string): readonly DecisionEvent[] {
    const from =
      after === undefined
        ? undefined
        : this.#database.prepare('SELECT position FROM events WHERE id = ?').get(after);
    // An id that was forgotten is before everything that is kept.
    const rows =
      after === undefined
        ? this.#database
            .prepare('SELECT event FROM events ORDER BY position DESC LIMIT ?')
            .all(limit)
        : this.#database
            .prepare('SELECT event FROM events WHERE position > ? ORDER BY position LIMIT ?')
            .all(Number(from?.['position'] ?? 0), limit);
    const events = rows.map((row) => JSON.parse(String(row['event'])) as DecisionEvent);
    return after === undefined ? events.reverse() : events;
  }

  /** One event. */
  get(id: string): DecisionEvent | null {
    const row = this.#database.prepare('SELECT event FROM events WHERE id = ?').get(id);
    return row === undefined ? null : (JSON.parse(String(row['event'])) as DecisionEvent);
  }

  #count({ events, suppressed, canaries, unread }: Taken): void {
    const before = this.tally();
    this.#putTally({
      rings: before.rings,
      told: before.told + events.length,
      canaries: before.canaries + canaries,
      suppressed: suppressed.reduce((sum, it) => sum + it.count, before.suppressed),
      unread: before.unread + unread,
    });
  }

  #putTally(tally: Tally): void {
    this.#database
      .prepare(
        "INSERT INTO facts VALUES ('tally', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      )
      .run(JSON.stringify(tally));
  }
}
