// SPDX-License-Identifier: Apache-2.0

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { admittedBundle } from '../../../test/support/store.ts';
import type { StoreContents } from '../../core/machine/contents.ts';
import type { Result } from '../../core/result.ts';
import { type DiskStore, openStore } from './store.ts';

let folder: string;
let store: DiskStore;

beforeEach(() => {
  folder = join(fs.mkdtempSync(join(tmpdir(), 'warder-store-')), 'state');
  store = open();
});
afterEach(() => {
  store.close();
  fs.rmSync(join(folder, '..'), { recursive: true });
});

function open(onLostState: 'refuse' | 'start-over' = 'refuse'): DiskStore {
  return expectOk(openStore({ folder, keepPrevious: 1, onLostState }));
}

function expectOk<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

async function load(): Promise<StoreContents> {
  return expectOk(await store.load());
}

async function reopen(onLostState: 'refuse' | 'start-over' = 'refuse') {
  store.close();
  store = open(onLostState);
  return await store.load();
}

async function admit(...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    const { bundle, admission, summary, version } = admittedBundle(number);
    expectOk(await store.raiseFloor({ highestSeen: version, digest: bundle.digest }));
    expectOk(await store.stage(bundle, admission, []));
    expectOk(await store.commit(summary, '2026-01-01T00:00:00.000Z'));
    expectOk(await store.prune());
  }
}

const codes = (contents: StoreContents) => contents.repaired.map((it) => it.code);

test('a new store is empty, and remembers over a restart what it answered', async () => {
  expect(await load()).toEqual({
    floor: null,
    active: null,
    generations: [],
    quarantine: [],
    repaired: [],
  });
  await admit(1, 2);
  const { digest } = admittedBundle(2).bundle;
  const entry = {
    digest: admittedBundle(9).bundle.digest,
    code: 'verify/rollback',
    attempts: 2,
    retryAfterMs: 1234,
    trustFingerprint: digest,
    agentVersion: '1.0.0',
  } as const;
  expectOk(await store.quarantine(entry));
  const contents = expectOk(await reopen());
  expect(contents.floor).toEqual({ highestSeen: 2, digest });
  expect(contents.active).toBe(digest);
  expect(contents.generations.map((it) => it.version)).toEqual([1, 2]);
  expect(contents.quarantine).toEqual([entry]);
  expect(codes(contents)).toEqual([]);
});

test('evidence comes back byte for byte, and the folder is an OCI layout', async () => {
  await load();
  await admit(1, 2);
  const { bundle } = admittedBundle(2);
  expect(expectOk(await store.evidence(bundle.digest))).toEqual(bundle);
  expect(JSON.parse(fs.readFileSync(join(folder, 'oci-layout'), 'utf8'))).toEqual({
    imageLayoutVersion: '1.0.0',
  });
  const index = JSON.parse(fs.readFileSync(join(folder, 'index.json'), 'utf8'));
  expect(index.manifests.map((it: { digest: string }) => it.digest)).toContain(bundle.digest);
});

test('pruning keeps what is active, the previous ones configured, and what is staged', async () => {
  await load();
  await admit(1, 2, 3);
  const staged = admittedBundle(4);
  expectOk(await store.stage(staged.bundle, staged.admission, []));
  expectOk(await store.prune());
  const kept = async (n: number) =>
    expectOk(await store.evidence(admittedBundle(n).bundle.digest)) !== null;
  expect([await kept(1), await kept(2), await kept(3), await kept(4)]).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(
    expectOk(await reopen())
      .generations.map((it) => it.version)
      .sort(),
  ).toEqual([1, 2, 3, 4]);
});

test('C13 recording what is active again leaves the previous one the previous one', async () => {
  await load();
  await admit(1, 2);
  expectOk(await store.commit(admittedBundle(2).summary, '2026-01-02T00:00:00.000Z'));
  expectOk(await store.prune());
  expect(expectOk(await store.evidence(admittedBundle(1).bundle.digest))).not.toBeNull();
});

test('the floor never falls, and what is active may: a rollback is a record like any other', async () => {
  await load();
  await admit(1, 2);
  expectOk(
    await store.raiseFloor({
      highestSeen: admittedBundle(1).version,
      digest: admittedBundle(1).bundle.digest,
    }),
  );
  expectOk(await store.commit(admittedBundle(1).summary, '2026-01-02T00:00:00.000Z'));
  const contents = expectOk(await reopen());
  expect(contents.floor?.highestSeen).toBe(2);
  expect(contents.active).toBe(admittedBundle(1).bundle.digest);
});

test('V17 a second agent on the same folder is refused', () => {
  const second = openStore({ folder, keepPrevious: 1, onLostState: 'refuse' });
  expect(second.ok ? null : second.error.code).toBe('state/locked');
});

const DAMAGE: Record<string, (path: string) => void> = {
  removed: (path) => fs.rmSync(path),
  truncated: (path) => fs.truncateSync(path, 40),
  zeroed: (path) => fs.writeFileSync(path, Buffer.alloc(fs.statSync(path).size)),
  flipped: (path) => {
    const bytes = fs.readFileSync(path);
    const at = path.endsWith('.db') ? bytes.indexOf('sha256:') + 20 : bytes.length - 4;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.writeFileSync(path, bytes);
  },
};

test.each(Object.keys(DAMAGE))(
  'V13 V14 a floor is restored from its second copy when the database is %s',
  async (how) => {
    await load();
    await admit(1, 2);
    store.close();
    DAMAGE[how]?.(join(folder, 'agent.db'));
    store = open();
    const contents = await load();
    expect(contents.floor?.highestSeen).toBe(2);
    expect(codes(contents)).toContain('state/corrupt');
    expect(codes(expectOk(await reopen()))).toEqual([]);
  },
);

test.each(Object.keys(DAMAGE))(
  'V13 V14 a floor is restored from the database when the second copy is %s',
  async (how) => {
    await load();
    await admit(1, 2);
    DAMAGE[how]?.(join(folder, 'floor'));
    const contents = expectOk(await reopen());
    expect(contents.floor?.highestSeen).toBe(2);
    expect(codes(contents)).toEqual(['state/corrupt']);
    expect(codes(expectOk(await reopen()))).toEqual([]);
  },
);

test('V14 an older backup of the database is found by the floor beside it', async () => {
  await load();
  await admit(1);
  store.close();
  fs.copyFileSync(join(folder, 'agent.db'), join(folder, 'backup'));
  store = open();
  await load();
  await admit(2);
  store.close();
  fs.copyFileSync(join(folder, 'backup'), join(folder, 'agent.db'));
  store = open();
  const contents = await load();
  expect(contents.floor?.highestSeen).toBe(2);
  expect(codes(contents)).toEqual(['state/corrupt']);
});

test.each(['removed', 'truncated', 'zeroed'])(
  'V13 when both copies are %s the state is lost, and only the configuration starts over',
  async (how) => {
    await load();
    await admit(1, 2);
    store.close();
    for (const name of ['agent.db', 'floor']) DAMAGE[how]?.(join(folder, name));
    store = open();
    const lost = await store.load();
    expect(lost.ok ? null : lost.error.code).toBe('state/lost');
    const again = await reopen();
    expect(again.ok ? null : again.error.code).toBe('state/lost');
    const contents = expectOk(await reopen('start-over'));
    expect(contents.floor).toBeNull();
    expect(codes(contents)).toContain('state/lost');
  },
);

test('L02 damaged evidence is told from good, and staging again repairs it', async () => {
  await load();
  await admit(1);
  const { bundle, admission } = admittedBundle(1);
  const path = join(folder, 'blobs', 'sha256', bundle.digest.slice('sha256:'.length));
  fs.writeFileSync(path, 'something else');
  const read = await store.evidence(bundle.digest);
  expect(read.ok ? null : read.error.code).toBe('state/corrupt');
  expectOk(await store.stage(bundle, admission, []));
  expect(expectOk(await store.evidence(bundle.digest))).toEqual(bundle);
});
