// Which generation is which: content, bank, digest of the image, rules by bit. A row stands before the
// kernel is touched, so there is no committed generation that this table does not know.
//
// SPDX-License-Identifier: Apache-2.0

import type { DatabaseSync } from 'node:sqlite';
import { transaction } from '../../adapters/disk/database.ts';
import type { Digest } from '../../core/digest.ts';
import type { GenerationRow, RuleLine } from '../../core/enforcer/startup.ts';
import type { Result } from '../../core/result.ts';

/** The generations of this host, old boots included. */
export class GenerationTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** The highest number ever given. */
  highest(): number {
    const row = this.#database.prepare('SELECT max(generation) AS n FROM generations').get();
    return Number(row?.['n'] ?? 0);
  }

  /** One generation. */
  get(generation: number): GenerationRow | null {
    const row = this.#database
      .prepare('SELECT * FROM generations WHERE generation = ?')
      .get(generation);
    return row === undefined ? null : toRow(row);
  }

  /** Generations of one boot, the newest first. */
  ofBoot(bootId: string): readonly GenerationRow[] {
    return this.#database
      .prepare('SELECT * FROM generations WHERE boot_id = ? ORDER BY generation DESC')
      .all(bootId)
      .map(toRow);
  }

  /** Announces a generation that will be filled. */
  announce(row: GenerationRow): Result<void> {
    return transaction(this.#database, 'announcing a generation', () => {
      this.#database
        .prepare(`INSERT INTO generations VALUES (${Array(15).fill('?').join(', ')})`)
        .run(
          row.generation,
          row.content[0] ?? null,
          row.bank,
          row.imageDigest,
          row.bootId,
          row.canaryDir,
          JSON.stringify(row.rules),
          JSON.stringify(row.demoted),
          row.committedAt,
          row.confirmed ? 1 : 0,
          JSON.stringify(row.content),
          row.changed,
          row.mapIds === null ? null : JSON.stringify(row.mapIds),
          JSON.stringify(row.programs),
          JSON.stringify(row.leftOut),
        );
    });
  }

  /** Records what the kernel answered to the commit. */
  committed(generation: number, mapIds: readonly number[], at: string): Result<void> {
    return transaction(this.#database, 'recording the commit', () => {
      this.#database
        .prepare('UPDATE generations SET map_ids = ?, committed_at = ? WHERE generation = ?')
        .run(JSON.stringify(mapIds), at, generation);
    });
  }

  /** Inside the caller's transaction. */
  confirm(generation: number): void {
    this.#database
      .prepare('UPDATE generations SET confirmed = 1 WHERE generation = ?')
      .run(generation);
  }
}

function toRow(row: Record<string, unknown>): GenerationRow {
  const text = (name: string): string | null => (row[name] === null ? null : String(row[name]));
  return {
    generation: Number(row['generation']),
    content: JSON.parse(String(row['content'])) as readonly Digest[],
    changed: text('changed') as Digest | null,
    bank: Number(row['bank']),
    imageDigest: String(row['image_digest']) as Digest,
    bootId: String(row['boot_id']),
    canaryDir: String(row['canary_dir']),
    rules: JSON.parse(String(row['rules'])) as readonly RuleLine[],
    demoted: JSON.parse(String(row['demoted'])) as readonly string[],
    committedAt: text('committed_at'),
    confirmed: row['confirmed'] === 1,
    mapIds: row['map_ids'] === null ? null : (JSON.parse(String(row['map_ids'])) as number[]),
    programs: JSON.parse(String(row['programs'])) as readonly string[],
    leftOut: JSON.parse(String(row['left_out'])) as readonly string[],
  };
}
