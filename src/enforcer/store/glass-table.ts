// Requests of break-glass and what became of them. A nonce that was used stays used: its row is never
// removed, and it is on the disk before anything is let through.
//
// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../adapters/disk/database.ts';
import { GLASS_REQUESTS_MAX, type GlassRecord } from '../../core/glass.ts';
import type { Result } from '../../core/result.ts';
import type { AskedFor } from '../../core/verify/glass.ts';

/** The requests of this host. */
export class GlassTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Remembers a request; the oldest that wait make room. */
  ask(nonce: string, boot: string, askedMs: number): Result<void> {
    return transaction(this.#database, 'recording a request for break-glass', () => {
      this.#database
        .prepare('INSERT INTO break_glass VALUES (?, ?, ?, NULL)')
        .run(nonce, boot, askedMs);
      this.#database
        .prepare(
          `DELETE FROM break_glass WHERE used IS NULL AND rowid NOT IN
             (SELECT rowid FROM break_glass WHERE used IS NULL ORDER BY rowid DESC LIMIT ?)`,
        )
        .run(GLASS_REQUESTS_MAX);
    });
  }

  /** What is known of a request; null for one that this host never made. */
  find(nonce: string): AskedFor | null {
    const row = this.#database.prepare('SELECT * FROM break_glass WHERE nonce = ?').get(nonce);
    if (row === undefined) return null;
    return {
      boot: String(row['boot_id']),
      askedMs: Number(row['asked_ms']),
      isUsed: row['used'] !== null,
    };
  }

  /** Records what was used, or that it was ended. */
  put(record: GlassRecord): Result<void> {
    return transaction(this.#database, 'recording break-glass', () => {
      this.#database
        .prepare('UPDATE break_glass SET used = ? WHERE nonce = ?')
        .run(JSON.stringify(record), record.order.nonce);
    });
  }

  /** What was used, the newest first. */
  list(limit: number): readonly GlassRecord[] {
    return this.#database
      .prepare('SELECT used FROM break_glass WHERE used IS NOT NULL ORDER BY rowid DESC LIMIT ?')
      .all(limit)
      .map((row) => JSON.parse(String(row['used'])) as GlassRecord);
  }
}
