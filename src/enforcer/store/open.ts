// Opening the enforcer's store: what is damaged is set aside, and of each source the higher one of two copies of
// its floor holds.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { readRecord, writeRecord } from '../../adapters/disk/atomic-file.ts';
import { openDatabase } from '../../adapters/disk/database.ts';
import { openRecords } from '../../adapters/disk/records.ts';
import { parseDigest } from '../../core/digest.ts';
import { MAIN_SOURCE } from '../../core/policy/sources.ts';
import { type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { Floor } from '../../core/verify/verdict.ts';
import { toBundleVersion } from '../../core/version.ts';
import { MIGRATIONS } from './schema.ts';
import { EnforcerStore } from './store.ts';

const FLOOR_BYTES_MAX = 4096;

/** The store, and what was found wrong while opening it. */
export interface OpenedStore {
  readonly store: EnforcerStore;
  readonly alerts: readonly Failure[];
}

/**
 * Opens the store. A damaged database is set aside and begun again, because a host without any store
 * would come up without any policy; the floor then comes from its second copy.
 */
export function openStore(
  dir: string,
  eventsMax: number,
  configured: readonly string[] = [],
): Result<OpenedStore> {
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
  const store = new EnforcerStore(database.value, kept.records, floorPath, {
    off: null,
    eventsMax,
  });
  const known = store.read('sources') ?? [];
  for (const name of new Set([MAIN_SOURCE, ...configured, ...known.map((it) => it.name)])) {
    const recovered = recoverFloor(store.of(name), damaged);
    if (!recovered.ok) return recovered;
    alerts.push(...recovered.value);
  }
  return ok({ store, alerts });
}

function recoverFloor(store: EnforcerStore, damaged: boolean): Result<readonly Failure[]> {
  const copy = readFloorCopy(store.floorPath);
  const alerts = copy.ok ? [] : [copy.error];
  const mine = store.read('floor');
  const theirs = copy.ok ? copy.value : null;
  const highest = highestOf(mine, theirs);
  const lost = highest === null && (damaged || !copy.ok);
  if (lost) {
    const whose = store.source === MAIN_SOURCE ? '' : ` of ${store.source}`;
    alerts.push(failure('state/lost', `every copy of the version floor${whose} is gone`));
  }
  const repaired = repair(store, store.floorPath, highest, theirs, lost);
  return repaired.ok ? ok(alerts) : repaired;
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
