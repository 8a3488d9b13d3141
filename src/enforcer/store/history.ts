// The newest events, so that a denial can be explained after the fact. Bounded: a flood of denials
// pushes old ones out, and the totals in the kernel stay exact.
//
// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../adapters/disk/database.ts';
import type { DecisionEvent } from '../../core/enforcement.ts';
import type { Result } from '../../core/result.ts';

/** Events in the order of their arrival. */
export class History {
  readonly #database: DatabaseSync;
  readonly #eventsMax: number;

  constructor(database: DatabaseSync, eventsMax: number) {
    this.#database = database;
    this.#eventsMax = eventsMax;
  }

  /** Appends and forgets the oldest beyond the bound. An id that is already there is kept. */
  append(events: readonly DecisionEvent[]): Result<void> {
    return transaction(this.#database, 'recording events', () => {
      const insert = this.#database.prepare(
        'INSERT OR IGNORE INTO events (id, event) VALUES (?, ?)',
      );
      for (const event of events) insert.run(event.id, JSON.stringify(event));
      this.#database
        .prepare('DELETE FROM events WHERE position <= (SELECT max(position) FROM events) - ?')
        .run(this.#eventsMax);
    });
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
}
