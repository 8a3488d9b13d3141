// The root-only store: what this host admitted, how far the version floor rose, who holds it, which
// generation is which. The authority where the agent's copies differ.
//
// Invariants: the floor never falls, and it is on the disk twice before anything acts on it; an answer
// means that the disk has it. Every change is one transaction.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { readRecord, writeRecord } from '../../adapters/disk/atomic-file.ts';
import { openDatabase, transaction } from '../../adapters/disk/database.ts';
import { openRecords, type RecordStore } from '../../adapters/disk/records.ts';
import type { Admission, BundleBytes } from '../../core/bundle.ts';
import { type Digest, parseDigest } from '../../core/digest.ts';
import type { BundleSummary, Hold } from '../../core/enforcement.ts';
import type { ChannelHead } from '../../core/head.ts';
import { type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { CheckRecord, Floor } from '../../core/verify/verdict.ts';
import { toBundleVersion } from '../../core/version.ts';
import { pruneEvidence, readEvidence, writeEvidence } from './evidence.ts';
import { GenerationTable } from './generation-table.ts';
import { GlassTable } from './glass-table.ts';
import { History } from './history.ts';
import { MIGRATIONS } from './schema.ts';

/** The files of exempt programs, by policy path; identities as text. */
export interface KnownPrograms {
  readonly bootId: string;
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/** Facts with one value, by name. */
export interface Facts {
  readonly floor: Floor;
  readonly lastKnownGood: Digest;
  /** What was last-known-good before it. */
  readonly previous: Digest;
  readonly hold: Hold;
  /** The newest channel head that was accepted. */
  readonly head: ChannelHead;
  /** The latest moment that this host has seen proven. */
  readonly timeFloorMs: number;
  /** This host in orders of break-glass: random, made when it first asks. */
  readonly hostId: string;
  readonly disabled: { readonly by: string; readonly reason: string; readonly at: string };
  /** Every copy of the floor was lost; set until an administrator accepts that. */
  readonly lost: true;
  /** The trust policy in force, keys included. */
  readonly trust: TrustPolicy;
  /** The last canary directory that was made. */
  readonly canary: { readonly bootId: string; readonly number: number };
  /** What exempt programs were in this boot. */
  readonly programs: KnownPrograms;
}

/** A bundle that was admitted here. */
export interface AdmittedRow {
  readonly summary: BundleSummary;
  readonly trustFingerprint: Digest;
}

const FLOOR_BYTES_MAX = 4096;

/** The open store. */
export class EnforcerStore {
  readonly generations: GenerationTable;
  readonly history: History;
  readonly records: RecordStore;
  readonly glass: GlassTable;
  readonly #database: DatabaseSync;
  readonly #floorPath: string;
  #off: Facts['disabled'] | null = null;

  constructor(database: DatabaseSync, records: RecordStore, floorPath: string, eventsMax: number) {
    this.#database = database;
    this.records = records;
    this.#floorPath = floorPath;
    this.generations = new GenerationTable(database);
    this.glass = new GlassTable(database);
    this.history = new History(database, eventsMax);
  }

  /** Disabled until this process ends, whatever the disk says: only the next boot changes it. */
  switchOff(reason: string): void {
    this.#off = { by: 'the boot', reason, at: new Date(0).toISOString() };
  }

  /** A fact, or null. */
  read<K extends keyof Facts>(name: K): Facts[K] | null {
    if (name === 'disabled' && this.#off !== null) return this.#off as Facts[K];
    const row = this.#database.prepare('SELECT value FROM facts WHERE name = ?').get(name);
    return row === undefined ? null : (JSON.parse(String(row['value'])) as Facts[K]);
  }

  /** Writes facts together; null removes one. */
  write(facts: { readonly [K in keyof Facts]?: Facts[K] | null }): Result<void> {
    return transaction(this.#database, 'recording facts', () => this.#put(facts));
  }

  /** Raises the floor, never lowers it: first the second copy, then the database. */
  raiseFloor(floor: Floor): Result<void> {
    const now = this.read('floor');
    if (now !== null && now.highestSeen >= floor.highestSeen) return ok(undefined);
    const code = 'stage/floor-write-failed';
    const copied = writeRecord(this.#floorPath, JSON.stringify(floor), code);
    if (!copied.ok) return copied;
    return transaction(this.#database, 'raising the floor', () => this.#put({ floor }), code);
  }

  /** Records an admission with everything that it was judged by. */
  admit(
    admission: Admission,
    bundle: BundleBytes,
    checks: readonly CheckRecord[],
  ): Result<BundleSummary> {
    const summary = summarise(admission);
    const record = (): BundleSummary => {
      this.#database
        .prepare(
          `INSERT INTO admitted VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET
             trust_fingerprint = excluded.trust_fingerprint, summary = excluded.summary,
             verified_at = excluded.verified_at, checks = excluded.checks`,
        )
        .run(
          admission.digest,
          admission.descriptor.version,
          JSON.stringify(summary),
          admission.trustFingerprint,
          admission.verifiedAt,
          JSON.stringify(checks),
        );
      writeEvidence(this.#database, bundle);
      return summary;
    };
    return transaction(this.#database, 'recording an admission', record, 'stage/write-failed');
  }

  /** The record of an admitted bundle. */
  admitted(digest: Digest): AdmittedRow | null {
    const row = this.#database
      .prepare('SELECT summary, trust_fingerprint FROM admitted WHERE digest = ?')
      .get(digest);
    if (row === undefined) return null;
    return {
      summary: JSON.parse(String(row['summary'])) as BundleSummary,
      trustFingerprint: String(row['trust_fingerprint']) as Digest,
    };
  }

  /** Every digest admitted here, the newest version first. */
  admittedDigests(): readonly Digest[] {
    const rows = this.#database.prepare('SELECT digest FROM admitted ORDER BY version DESC').all();
    return rows.map((row) => String(row['digest']) as Digest);
  }

  /** Digests confirmed here whose evidence is kept, the newest version first: where a fallback may go. */
  confirmedDigests(): readonly Digest[] {
    const rows = this.#database
      .prepare(
        `SELECT DISTINCT a.digest, a.version FROM admitted a JOIN generations g
           ON g.digest = a.digest WHERE g.confirmed = 1 AND EXISTS
             (SELECT 1 FROM evidence e WHERE e.digest = a.digest) ORDER BY a.version DESC`,
      )
      .all();
    return rows.map((row) => String(row['digest']) as Digest);
  }

  /** The stored bytes of an admitted bundle; `restore/evidence-corrupt` when they are not all there. */
  evidence(digest: Digest): Result<BundleBytes> {
    return readEvidence(this.#database, digest);
  }

  /** Confirms a generation and moves the pointers, in one step. */
  confirm(generation: number, lastKnownGood: Digest): Result<void> {
    return transaction(this.#database, 'recording the confirmation', () => {
      this.generations.confirm(generation);
      const before = this.read('lastKnownGood');
      // C13: confirming the same digest again does not make it its own predecessor.
      if (before === lastKnownGood) return;
      this.#put({ lastKnownGood, ...(before === null ? {} : { previous: before }) });
      pruneEvidence(this.#database, [lastKnownGood, before]);
    });
  }

  close(): void {
    this.records.close();
    this.#database.close();
  }

  #put(facts: { readonly [K in keyof Facts]?: Facts[K] | null }): void {
    for (const [name, value] of Object.entries(facts)) {
      if (value === null) {
        this.#database.prepare('DELETE FROM facts WHERE name = ?').run(name);
        continue;
      }
      this.#database
        .prepare('INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
        .run(name, JSON.stringify(value));
    }
  }
}

/** The store, and what was found wrong while opening it. */
export interface OpenedStore {
  readonly store: EnforcerStore;
  readonly alerts: readonly Failure[];
}

/**
 * Opens the store. A damaged database is set aside and begun again, because a host without any store
 * would come up without any policy; the floor then comes from its second copy.
 */
export function openStore(dir: string, eventsMax: number): Result<OpenedStore> {
  const path = join(dir, 'enforcer.db');
  const floorPath = join(dir, 'floor');
  const alerts: Failure[] = [];
  let database = openDatabase(path, MIGRATIONS);
  const damaged = !database.ok && database.error.code === 'state/corrupt';
  if (!database.ok && damaged) {
    alerts.push(database.error);
    setAside(path);
    database = openDatabase(path, MIGRATIONS);
  }
  if (!database.ok) return database;
  const kept = openRecords(join(dir, 'records.db'));
  alerts.push(...kept.alerts);
  const store = new EnforcerStore(database.value, kept.records, floorPath, eventsMax);

  const copy = readFloorCopy(floorPath);
  if (!copy.ok) alerts.push(copy.error);
  const mine = store.read('floor');
  const theirs = copy.ok ? copy.value : null;
  const highest = highestOf(mine, theirs);
  const lost = highest === null && (damaged || !copy.ok);
  if (lost) alerts.push(failure('state/lost', 'every copy of the version floor is gone'));
  const repaired = repair(store, floorPath, highest, theirs, lost);
  return repaired.ok ? ok({ store, alerts }) : repaired;
}

function repair(
  store: EnforcerStore,
  floorPath: string,
  highest: Floor | null,
  copy: Floor | null,
  lost: boolean,
): Result<void> {
  if (lost) return store.write({ lost: true });
  if (highest === null) return ok(undefined);
  if (copy?.highestSeen !== highest.highestSeen) {
    const copied = writeRecord(floorPath, JSON.stringify(highest));
    if (!copied.ok) return copied;
  }
  return store.write({ floor: highest });
}

function readFloorCopy(path: string): Result<Floor | null> {
  const text = readRecord(path, FLOOR_BYTES_MAX);
  if (!text.ok || text.value === null) return text.ok ? ok(null) : text;
  const value = JSON.parse(text.value) as { highestSeen?: unknown; digest?: unknown };
  const version = toBundleVersion(Number(value.highestSeen));
  const digest = parseDigest(String(value.digest));
  if (version !== null && digest.ok) return ok({ highestSeen: version, digest: digest.value });
  return { ok: false, error: failure('state/corrupt', `${path} is not a version floor`) };
}

function highestOf(a: Floor | null, b: Floor | null): Floor | null {
  if (a === null || b === null) return a ?? b;
  return a.highestSeen >= b.highestSeen ? a : b;
}

function setAside(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${path}.damaged${suffix}`);
  }
}

function summarise({ digest, descriptor, signers }: Admission): BundleSummary {
  return {
    digest,
    version: descriptor.version,
    repository: descriptor.repository,
    channel: descriptor.channel,
    commit: descriptor.source.commit,
    sourceRepository: descriptor.source.repository,
    signers,
    expires: descriptor.expires,
  };
}
