// The root-only store: what this host admitted, how far the version floor rose, who holds it, which
// generation is which. The authority where the agent's copies differ.
//
// Invariants: the floor never falls, and it is on the disk twice before anything acts on it; an answer
// means that the disk has it. Every change is one transaction.
//
// SPDX-License-Identifier: Apache-2.0

import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { writeRecord } from '../../adapters/disk/atomic-file.ts';
import { transaction } from '../../adapters/disk/database.ts';
import type { RecordStore } from '../../adapters/disk/records.ts';
import type { Admission, BundleBytes } from '../../core/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import type { BundleSummary, Hold } from '../../core/enforcement.ts';
import type { ChannelHead } from '../../core/head.ts';
import { MAIN_SOURCE } from '../../core/policy/sources.ts';
import { ok, type Result } from '../../core/result.ts';
import type { TrustedRootText, TrustPolicy } from '../../core/verify/trust.ts';
import type { CheckRecord, Floor } from '../../core/verify/verdict.ts';
import { pruneEvidence, readEvidence, writeEvidence } from './evidence.ts';
import { GenerationTable } from './generation-table.ts';
import { GlassTable } from './glass-table.ts';
import { History } from './history.ts';
import { pruneRoots, readRoot, writeRoot } from './roots.ts';

/** The files of exempt programs, by policy path; identities as text. */
export interface KnownPrograms {
  readonly bootId: string;
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/** A named source. */
export interface KnownSource {
  readonly name: string;
  readonly repository: string;
  readonly channel: string;
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
  /** What this process or one before it put in force last: the kernel must agree. */
  readonly current: { readonly bootId: string; readonly generation: number };
  /** The last canary directory that was made. */
  readonly canary: { readonly bootId: string; readonly number: number };
  /** What exempt programs were in this boot. */
  readonly programs: KnownPrograms;
  /** Every named source that was configured and not removed. */
  readonly sources: readonly KnownSource[];
}

// Of each source by itself; the facts of a named one carry its name.
const PER_SOURCE: ReadonlySet<string> = new Set<keyof Facts>([
  ...(['floor', 'lastKnownGood', 'previous', 'hold', 'head', 'lost'] as const),
]);

/** A bundle that was admitted here. */
export interface AdmittedRow {
  readonly source: string;
  readonly summary: BundleSummary;
  readonly trustFingerprint: Digest;
}

/** The open store, as one source sees it; what is of the host is the same for all. */
export class EnforcerStore {
  /** {@link MAIN_SOURCE}, or the name of the source. */
  readonly source: string;
  readonly generations: GenerationTable;
  readonly history: History;
  readonly records: RecordStore;
  readonly glass: GlassTable;
  readonly #database: DatabaseSync;
  /** The second copy of the floor. */
  readonly floorPath: string;
  readonly #shared: { off: Facts['disabled'] | null; readonly eventsMax: number };

  constructor(
    database: DatabaseSync,
    records: RecordStore,
    floorPath: string,
    shared: { off: Facts['disabled'] | null; readonly eventsMax: number },
    source: string = MAIN_SOURCE,
  ) {
    const { eventsMax } = shared;
    this.source = source;
    this.#shared = shared;
    this.#database = database;
    this.records = records;
    this.floorPath = floorPath;
    this.generations = new GenerationTable(database);
    this.glass = new GlassTable(database);
    this.history = new History(database, eventsMax);
  }

  /** The same store as another source sees it. */
  of(source: string): EnforcerStore {
    const name = source === MAIN_SOURCE ? 'floor' : `floor.${source}`;
    const path = join(dirname(this.floorPath), name);
    return new EnforcerStore(this.#database, this.records, path, this.#shared, source);
  }

  /** Disabled until this process ends, whatever the disk says: only the next boot changes it. */
  switchOff(reason: string): void {
    this.#shared.off = { by: 'the boot', reason, at: new Date(0).toISOString() };
  }

  /** A fact, or null. */
  read<K extends keyof Facts>(name: K): Facts[K] | null {
    const { off } = this.#shared;
    if (name === 'disabled' && off !== null) return off as Facts[K];
    const row = this.#database
      .prepare('SELECT value FROM facts WHERE name = ?')
      .get(this.#keyOf(name));
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
    const copied = writeRecord(this.floorPath, JSON.stringify(floor), code);
    if (!copied.ok) return copied;
    return transaction(this.#database, 'raising the floor', () => this.#put({ floor }), code);
  }

  /** Records an admission with everything that it was judged by. */
  admit(
    admission: Admission,
    bundle: BundleBytes,
    checks: readonly CheckRecord[],
    root: TrustedRootText | null,
  ): Result<BundleSummary> {
    const summary = summarise(admission);
    const record = (): BundleSummary => {
      writeRoot(this.#database, root);
      this.#database
        .prepare(
          `INSERT INTO admitted VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET
             trust_fingerprint = excluded.trust_fingerprint, summary = excluded.summary,
             verified_at = excluded.verified_at, checks = excluded.checks,
             source = excluded.source, root = excluded.root`,
        )
        .run(
          admission.digest,
          admission.descriptor.version,
          JSON.stringify(summary),
          admission.trustFingerprint,
          admission.verifiedAt,
          JSON.stringify(checks),
          this.source,
          root?.digest ?? null,
        );
      writeEvidence(this.#database, bundle);
      return summary;
    };
    return transaction(this.#database, 'recording an admission', record, 'stage/write-failed');
  }

  /** The record of an admitted bundle. */
  admitted(digest: Digest): AdmittedRow | null {
    const row = this.#database
      .prepare('SELECT summary, trust_fingerprint, source FROM admitted WHERE digest = ?')
      .get(digest);
    if (row === undefined) return null;
    return {
      source: String(row['source']),
      summary: JSON.parse(String(row['summary'])) as BundleSummary,
      trustFingerprint: String(row['trust_fingerprint']) as Digest,
    };
  }

  /** Every digest admitted from this source, the newest version first. */
  admittedDigests(): readonly Digest[] {
    const rows = this.#database
      .prepare('SELECT digest FROM admitted WHERE source = ? ORDER BY version DESC')
      .all(this.source);
    return rows.map((row) => String(row['digest']) as Digest);
  }

  /** Digests of this source confirmed here whose evidence is kept, the newest first: where a fallback may go. */
  confirmedDigests(): readonly Digest[] {
    const rows = this.#database
      .prepare(
        `SELECT a.digest FROM admitted a WHERE a.source = ? AND a.digest IN
             (SELECT part.value FROM generations g, json_each(g.content) part WHERE g.confirmed = 1)
           AND EXISTS (SELECT 1 FROM evidence e WHERE e.digest = a.digest)
           ORDER BY a.version DESC`,
      )
      .all(this.source);
    return rows.map((row) => String(row['digest']) as Digest);
  }

  /** The stored bytes of an admitted bundle; `restore/evidence-corrupt` when they are not all there. */
  evidence(digest: Digest): Result<BundleBytes> {
    return readEvidence(this.#database, digest);
  }

  /** The trusted root that a bundle was admitted under; null where none is known. */
  rootOf(digest: Digest): TrustedRootText | null {
    return readRoot(this.#database, digest);
  }

  /** Confirms a generation and moves the pointers, in one step. */
  confirm(generation: number, lastKnownGood: Digest): Result<void> {
    return transaction(this.#database, 'recording the confirmation', () => {
      this.generations.confirm(generation);
      const before = this.read('lastKnownGood');
      // C13: confirming the same digest again does not make it its own predecessor.
      if (before === lastKnownGood) return;
      this.#put({ lastKnownGood, ...(before === null ? {} : { previous: before }) });
      pruneEvidence(this.#database, this.source, [lastKnownGood, before]);
      pruneRoots(this.#database);
    });
  }

  close(): void {
    this.records.close();
    this.#database.close();
  }

  #keyOf(name: string): string {
    return this.source === MAIN_SOURCE || !PER_SOURCE.has(name) ? name : `${name}@${this.source}`;
  }

  #put(facts: { readonly [K in keyof Facts]?: Facts[K] | null }): void {
    for (const [fact, value] of Object.entries(facts)) {
      const name = this.#keyOf(fact);
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
