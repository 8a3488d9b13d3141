// The agent's state folder:
//
//   lock         one process (lock.ts)
//   agent.db     generations, floor, quarantine
//   records.db   decision records (records.ts)
//   floor        second copy of the floor, a checksummed file of its own
//   oci-layout, index.json, blobs/sha256/…   the evidence, byte for byte
//
// Invariants: an answer is on the disk. The floor is written to both copies before it is answered, and
// the higher of two that differ counts: an older backup of either cannot lower it. Evidence is on the
// disk before the row that names it. When one copy is gone or damaged it is made again from the other
// and said so; when both are, the answer is `state/lost`, and only the configuration can choose to
// start over (the enforcer's own floor then still holds).
//
// SPDX-License-Identifier: Apache-2.0

import * as fs from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Admission, BundleBytes } from '../../core/bundle.ts';
import type { RecordWithBytes } from '../../core/decision/record.ts';
import type { Digest } from '../../core/digest.ts';
import type { BundleSummary } from '../../core/enforcement.ts';
import type { QuarantineEntry, StoreContents } from '../../core/machine/contents.ts';
import { type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { CheckRecord, Floor } from '../../core/verify/verdict.ts';
import type { StorePort } from '../../ports.ts';
import { parseEvidence } from '../../wire/state.ts';
import { attempt, writeRecord } from './atomic-file.ts';
import { BlobFolder } from './blobs.ts';
import { openDatabase, transaction } from './database.ts';
import { namesOf, readEvidence, writeEvidence } from './evidence.ts';
import { isRaise, joinFloors, readFloorFile } from './floor.ts';
import { acquireLock, type Lock } from './lock.ts';
import { noRecords, openRecords, type RecordStore } from './records.ts';
import { EVIDENCE_SQL, MIGRATIONS, readRows, sumOf } from './rows.ts';

/** How the agent keeps its state. */
export interface StoreOptions {
  readonly folder: string;
  /** Confirmed generations that are kept besides the active one. */
  readonly keepPrevious: number;
  /** When every copy of the floor is gone: refuse, or start over with the enforcer's floor. */
  readonly onLostState: 'refuse' | 'start-over';
}

/** Takes the lock of a state folder and opens it; everything that is wrong with it shows here or in load. */
export function openStore(options: StoreOptions): Result<DiskStore> {
  const { folder } = options;
  const made = attempt('record/write-failed', `creating ${folder}`, () => {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  });
  if (!made.ok) return made;
  const lock = acquireLock(join(folder, 'lock'));
  if (!lock.ok) return lock;
  return ok(new DiskStore(options, lock.value));
}

export class DiskStore implements StorePort {
  readonly #options: StoreOptions;
  readonly #lock: Lock;
  readonly #blobs: BlobFolder;
  readonly #floorPath: string;
  #records: RecordStore = noRecords();
  #database: DatabaseSync | null = null;
  #floor: Floor | null = null;

  constructor(options: StoreOptions, lock: Lock) {
    this.#options = options;
    this.#lock = lock;
    this.#blobs = new BlobFolder(options.folder);
    this.#floorPath = join(options.folder, 'floor');
  }

  close(): void {
    this.#records.close();
    this.#database?.close();
    this.#database = null;
    this.#lock.release();
  }

  async load(): Promise<Result<StoreContents>> {
    const repaired: Failure[] = [];
    this.#database?.close();
    this.#database = null;
    const kept = this.#blobs.hasAny();
    const opened = this.#open(kept, repaired);
    if (!opened.ok) return opened;
    this.#database = opened.value;
    this.#records.close();
    const past = openRecords(join(this.#options.folder, 'records.db'));
    this.#records = past.records;
    repaired.push(...past.alerts);
    const rows = readRows(opened.value, repaired);
    if (!rows.ok) return rows;
    const file = readFloorFile(this.#floorPath);
    const joined = joinFloors({ row: rows.value.floor, file, kept }, repaired);
    if (!joined.ok && this.#options.onLostState === 'refuse') return joined;
    this.#floor = joined.ok ? joined.value : null;
    if (!joined.ok) repaired.push(joined.error);
    // Both copies agree again before anything is built on them.
    const written = this.#floor === null ? ok(undefined) : this.#writeFloor(this.#floor);
    if (!written.ok) return written;
    const created = this.#blobs.create();
    if (!created.ok) return created;
    return ok({ ...rows.value.contents, floor: this.#floor, repaired });
  }

  async raiseFloor(floor: Floor): Promise<Result<void>> {
    if (!isRaise(this.#floor, floor)) return ok(undefined);
    const written = this.#writeFloor(floor);
    if (written.ok) this.#floor = floor;
    return written;
  }

  async stage(
    bundle: BundleBytes,
    admission: Admission,
    checks: readonly CheckRecord[],
  ): Promise<Result<void>> {
    const index = writeEvidence(this.#blobs, bundle);
    if (!index.ok) return index;
    const { descriptor, signers, trustFingerprint, verifiedAt } = admission;
    const decision = JSON.stringify({ admission: { descriptor, signers, verifiedAt }, checks });
    return this.#write('stage/write-failed', 'keeping an admission', (database) => {
      database
        .prepare(
          `INSERT INTO generation (digest, version, trust, sum, evidence, decision, admitted_at)
           VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET
             trust = excluded.trust, sum = excluded.sum, evidence = excluded.evidence,
             decision = excluded.decision, admitted_at = excluded.admitted_at`,
        )
        .run(
          bundle.digest,
          descriptor.version,
          trustFingerprint,
          sumOf(bundle.digest, descriptor.version, trustFingerprint),
          JSON.stringify(index.value),
          decision,
          verifiedAt,
        );
    });
  }

  async commit(bundle: BundleSummary, at: string): Promise<Result<void>> {
    return this.#write('record/write-failed', 'recording what is enforced', (database) => {
      // Known by what the enforcer says when this store was started over: without evidence then.
      database
        .prepare(
          'INSERT INTO generation (digest, version, sum) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        )
        .run(bundle.digest, bundle.version, sumOf(bundle.digest, bundle.version, null));
      // Recording the active one again moves nothing: the previous one stays the previous one.
      database
        .prepare(
          `UPDATE generation SET recorded_at = ?,
             place = CASE WHEN place = (SELECT max(place) FROM generation) THEN place
                     ELSE coalesce((SELECT max(place) FROM generation), 0) + 1 END
           WHERE digest = ?`,
        )
        .run(at, bundle.digest);
      database.prepare('DELETE FROM quarantine WHERE digest = ?').run(bundle.digest);
    });
  }

  async quarantine(entry: QuarantineEntry): Promise<Result<void>> {
    return this.#write('record/write-failed', 'keeping a digest out', (database) => {
      database
        .prepare('INSERT OR REPLACE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)')
        .run(
          entry.digest,
          entry.code,
          entry.attempts,
          entry.retryAfterMs,
          entry.trustFingerprint,
          entry.agentVersion,
        );
    });
  }

  async note(made: RecordWithBytes): Promise<Result<void>> {
    const sql = 'SELECT digest FROM generation WHERE place IS NOT NULL ORDER BY place DESC LIMIT ?';
    const rows = this.#need()
      .prepare(sql)
      .all(1 + this.#options.keepPrevious);
    const written = this.#records.write(
      made,
      rows.map((it) => String(it['digest']) as Digest),
    );
    return written.ok ? ok(undefined) : written;
  }

  async prune(): Promise<Result<void>> {
    const keep = 1 + this.#options.keepPrevious;
    const named = new Set<Digest>();
    const manifests: Digest[] = [];
    const done = this.#write('record/write-failed', 'pruning', (database) => {
      // What is staged and not yet recorded is newer than what is active: it stays.
      database
        .prepare(
          `UPDATE generation SET evidence = NULL WHERE evidence IS NOT NULL AND digest NOT IN
             (SELECT digest FROM generation WHERE place IS NOT NULL ORDER BY place DESC LIMIT ?)
           AND version <= (SELECT version FROM generation ORDER BY place DESC LIMIT 1)`,
        )
        .run(keep);
      for (const row of database.prepare(EVIDENCE_SQL).all()) {
        const index = parseEvidence(String(row['evidence']));
        if (!index.ok) continue;
        manifests.push(index.value.manifest);
        for (const digest of namesOf(index.value)) named.add(digest);
      }
    });
    if (!done.ok) return done;
    // The index first: it never names a blob that is gone.
    const index = this.#blobs.writeIndex(manifests);
    return index.ok ? this.#blobs.retain(named) : index;
  }

  async evidence(digest: Digest): Promise<Result<BundleBytes | null>> {
    const sql = 'SELECT evidence FROM generation WHERE digest = ?';
    const row = this.#need().prepare(sql).get(digest);
    if (row === undefined || row['evidence'] === null) return ok(null);
    const index = parseEvidence(String(row['evidence']));
    return index.ok ? readEvidence(this.#blobs, index.value) : index;
  }

  // A damaged database is put aside, never repaired in place: it is evidence, and a person may want it.
  #open(kept: boolean, repaired: Failure[]): Result<DatabaseSync> {
    const path = join(this.#options.folder, 'agent.db');
    if (kept && !fs.existsSync(path)) {
      repaired.push(failure('state/corrupt', `${path} is gone; it was made anew`));
    }
    const opened = openDatabase(path, MIGRATIONS);
    if (opened.ok || opened.error.code !== 'state/corrupt') return opened;
    const aside = attempt('record/write-failed', `putting ${path} aside`, () => {
      for (const end of ['', '-wal', '-shm']) {
        if (fs.existsSync(path + end)) fs.renameSync(path + end, `${path}.corrupt${end}`);
      }
    });
    if (!aside.ok) return aside;
    repaired.push(opened.error);
    return openDatabase(path, MIGRATIONS);
  }

  // The row first: a file that is ahead then says that the database went back.
  #writeFloor(floor: Floor): Result<void> {
    const { highestSeen, digest } = floor;
    const row = this.#write('stage/floor-write-failed', 'raising the floor', (database) => {
      database
        .prepare('INSERT OR REPLACE INTO floor VALUES (1, ?, ?, ?)')
        .run(highestSeen, digest, sumOf(highestSeen, digest));
    });
    if (!row.ok) return row;
    const text = JSON.stringify({ highestSeen, digest });
    return writeRecord(this.#floorPath, text, 'stage/floor-write-failed');
  }

  #write(
    code: 'stage/write-failed' | 'stage/floor-write-failed' | 'record/write-failed',
    doing: string,
    body: (database: DatabaseSync) => void,
  ): Result<void> {
    const database = this.#need();
    return transaction(database, doing, () => body(database), code);
  }

  #need(): DatabaseSync {
    if (this.#database === null) throw new Error('the store is used before load');
    return this.#database;
  }
}
