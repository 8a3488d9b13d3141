// Decision records in a database of their own, so that a flood of refusals can neither damage nor fill
// what the process stands on. Each is written with the bytes that it names, as one transaction.
//
// Bounds: each kind and outcome has room of its own, in number and in bytes. The oldest go first; records
// of bundles that are `needed` (active, last-known-good) never go. The same decision over again is
// counted, not written again. A refusal that alone would fill the room is kept without its bytes.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DecisionRecord, RecordBytes, RecordLine } from '../../core/decision/record.ts';
import type { Digest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { RecordsPort } from '../../ports.ts';
import { encodeRecord } from '../../wire/decision-record.ts';
import { openDatabase, sqliteCode, transaction } from './database.ts';

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE records (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     same TEXT NOT NULL UNIQUE, -- what makes two decisions the same
     kind TEXT NOT NULL,
     by TEXT NOT NULL,
     at TEXT NOT NULL,
     outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'refused')),
     code TEXT,
     subject TEXT,
     record BLOB NOT NULL,
     bytes INTEGER NOT NULL, -- with the blobs, each counted by every record that names it
     has_bytes INTEGER NOT NULL,
     count INTEGER NOT NULL,
     last_at TEXT NOT NULL
   ) STRICT;
   CREATE TABLE blobs (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
   CREATE TABLE uses (
     position INTEGER NOT NULL REFERENCES records (position) ON DELETE CASCADE,
     digest TEXT NOT NULL REFERENCES blobs (digest),
     PRIMARY KEY (position, digest)
   ) STRICT;
   CREATE INDEX uses_of_blob ON uses (digest);`,
];

/** Room for records of one outcome. */
export interface Room {
  readonly recordsMax: number;
  readonly bytesMax: number;
}

/** Room by outcome. */
export type Rooms = Readonly<Record<DecisionRecord['outcome'], Room>>;

const ROOMS: Rooms = {
  refused: { recordsMax: LIMITS.refusalsMax, bytesMax: LIMITS.refusalBytesMax },
  accepted: { recordsMax: LIMITS.admissionsMax, bytesMax: LIMITS.admissionBytesMax },
};

type Blobs = ReadonlyMap<Digest, Uint8Array>;

/** The records of one process. */
export class RecordStore {
  readonly #database: DatabaseSync | Failure;
  readonly #rooms: Rooms;

  constructor(database: DatabaseSync | Failure, rooms: Rooms) {
    this.#database = database;
    this.#rooms = rooms;
  }

  /** Writes a record down; `needed` are the bundles whose records must stay. */
  write(
    made: { readonly record: DecisionRecord; readonly blobs: Blobs },
    needed: readonly (Digest | null)[],
  ): Result<Digest> {
    if (!isOpen(this.#database)) return err(this.#database);
    const database = this.#database;
    return transaction(database, 'recording a decision', () => this.#put(database, made, needed));
  }

  /** The newest records, newest last. */
  list(limit: number): readonly RecordLine[] {
    if (!isOpen(this.#database)) return [];
    const sql = 'SELECT * FROM records ORDER BY last_at DESC, position DESC LIMIT ?';
    return this.#database.prepare(sql).all(limit).map(toLine).reverse();
  }

  /** The newest acceptance of a bundle. */
  admissionOf(digest: Digest): Digest | null {
    if (!isOpen(this.#database)) return null;
    const sql = `SELECT id FROM records WHERE subject = ? AND kind = 'bundle'
      AND outcome = 'accepted' ORDER BY position DESC LIMIT 1`;
    const row = this.#database.prepare(sql).get(digest);
    return row === undefined ? null : (String(row['id']) as Digest);
  }

  /** A record with its bytes. */
  get(id: Digest): RecordBytes | null {
    if (!isOpen(this.#database)) return null;
    const row = this.#database.prepare('SELECT position, record FROM records WHERE id = ?').get(id);
    if (row === undefined) return null;
    const blobs = this.#database
      .prepare('SELECT bytes FROM blobs JOIN uses USING (digest) WHERE position = ?')
      .all(Number(row['position']))
      .map((it) => new Uint8Array(it['bytes'] as Uint8Array));
    return { record: new Uint8Array(row['record'] as Uint8Array), blobs };
  }

  close(): void {
    if (isOpen(this.#database)) this.#database.close();
  }

  #put(
    database: DatabaseSync,
    { record, blobs }: { readonly record: DecisionRecord; readonly blobs: Blobs },
    needed: readonly (Digest | null)[],
  ): Digest {
    const same = sameness(record);
    const known = database
      .prepare('UPDATE records SET count = count + 1, last_at = ? WHERE same = ? RETURNING id')
      .get(record.at, same);
    if (known !== undefined) return String(known['id']) as Digest;
    const { id, bytes } = encodeRecord(record);
    const size = [...blobs.values()].reduce((sum, it) => sum + it.length, bytes.length);
    const fits = record.outcome === 'accepted' || size <= this.#rooms.refused.bytesMax / 2;
    const { lastInsertRowid } = database
      .prepare('INSERT INTO records VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)')
      .run(
        ...[id, same, record.question.kind, record.by, record.at, record.outcome],
        ...[record.failures[0]?.code ?? null, record.input.subject, bytes],
        ...[fits ? size : bytes.length, fits ? 1 : 0, record.at],
      );
    if (fits) this.#keep(database, Number(lastInsertRowid), blobs);
    this.#prune(database, record, Number(lastInsertRowid), needed);
    return id;
  }

  #keep(database: DatabaseSync, position: number, blobs: Blobs): void {
    const blob = database.prepare('INSERT INTO blobs VALUES (?, ?) ON CONFLICT DO NOTHING');
    const use = database.prepare('INSERT INTO uses VALUES (?, ?)');
    for (const [digest, bytes] of blobs) {
      blob.run(digest, bytes);
      use.run(position, digest);
    }
  }

  #prune(
    database: DatabaseSync,
    { outcome, question: { kind } }: DecisionRecord,
    newest: number,
    needed: readonly (Digest | null)[],
  ): void {
    const { recordsMax, bytesMax } = this.#rooms[outcome];
    const rows = database
      .prepare(
        `SELECT position, subject, bytes FROM records WHERE outcome = ? AND kind = ?
           ORDER BY position DESC`,
      )
      .all(outcome, kind);
    const drop = database.prepare('DELETE FROM records WHERE position = ?');
    let [count, total, dropped] = [0, 0, 0];
    for (const row of rows) {
      count += 1;
      total += Number(row['bytes']);
      if (count <= recordsMax && total <= bytesMax) continue;
      const subject = row['subject'] === null ? null : (String(row['subject']) as Digest);
      const isNeeded = outcome === 'accepted' && subject !== null && needed.includes(subject);
      if (isNeeded || Number(row['position']) === newest) continue;
      dropped += Number(drop.run(Number(row['position'])).changes);
    }
    if (dropped === 0) return;
    database.exec('DELETE FROM blobs WHERE digest NOT IN (SELECT digest FROM uses)');
  }
}

/** The records of a state folder, and what was found wrong with those that were there. */
export function openRecords(
  path: string,
  rooms: Rooms = ROOMS,
): { readonly records: RecordStore; readonly alerts: readonly Failure[] } {
  let opened = openDatabase(path, MIGRATIONS);
  const alerts = opened.ok ? [] : [opened.error];
  if (!opened.ok && opened.error.code === 'state/corrupt') {
    for (const end of ['', '-wal', '-shm']) {
      if (existsSync(path + end)) renameSync(path + end, `${path}.damaged${end}`);
    }
    opened = openDatabase(path, MIGRATIONS);
  }
  // What is enforced does not wait for records; what is new does.
  return { records: new RecordStore(opened.ok ? opened.value : opened.error, rooms), alerts };
}

/** A store that keeps nothing: before the real one is open. */
export function noRecords(): RecordStore {
  return new RecordStore(failure('record/write-failed', 'no records are open'), ROOMS);
}

/** Reads the records of a state folder, also while its process runs; writes nothing. */
export function readRecords(folder: string): Result<RecordsPort> {
  const path = join(folder, 'records.db');
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    const store = new RecordStore(database, ROOMS);
    return ok({
      records: async (limit) => ok(store.list(limit)),
      record: async (id) => ok(store.get(id)),
    });
  } catch (cause) {
    if (sqliteCode(cause) === null) throw cause;
    const causes = cause instanceof Error ? [cause.message] : [];
    return err(failure('cli/file-unreadable', `${path} cannot be read`, { causes }));
  }
}

function isOpen(database: DatabaseSync | Failure): database is DatabaseSync {
  return !('code' in database);
}

// Attachments that do not count may differ; what it came to, by which policy, about what, is the same.
// A head that is accepted is another decision each time.
function sameness({ by, question, trust, input, outcome, failures }: DecisionRecord): string {
  const codes = failures.map((it) => it.code);
  const purpose = question.kind === 'bundle' ? question.context.purpose : null;
  const statements = outcome === 'accepted' ? input.statements : [];
  const what = [by, question.kind, purpose, trust.fingerprint, input.subject, codes, statements];
  return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

function toLine(row: Record<string, unknown>): RecordLine {
  const text = (name: string) => (row[name] === null ? null : String(row[name]));
  return {
    id: String(row['id']) as Digest,
    by: String(row['by']) as RecordLine['by'],
    kind: String(row['kind']) as RecordLine['kind'],
    at: String(row['at']),
    outcome: String(row['outcome']) as RecordLine['outcome'],
    code: text('code') as RecordLine['code'],
    subject: text('subject') as Digest | null,
    count: Number(row['count']),
    lastAt: String(row['last_at']),
    hasBytes: row['has_bytes'] === 1,
  };
}
