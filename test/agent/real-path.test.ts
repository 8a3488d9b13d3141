// Hostile inputs over the whole path: a real registry, real oras, the real agent with its store on a real disk,
// and an enforcer that verifies again. Only the kernel is the fake one, which is asked what it was told.
//
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/adapters/disk/store.ts';
import type { BundleDescriptor } from '../../src/core/bundle.ts';
import type { Outcome } from '../../src/core/status.ts';
import { expectOk, makeBundle, ruleFor } from '../support/enforcer.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { sealed } from '../support/trust.ts';
import { World } from '../support/world.ts';

const ci = makeSigner();
const stranger = makeSigner();
const TRUST = sealed(trustIn(ci));
const rules = [ruleFor('a/one', '/etc/hostname')];
let server: TestRegistry;

beforeAll(async () => {
  server = await startRegistry();
});
afterAll(() => server.stop());

const worlds: World[] = [];
function newWorld(): World {
  const world = new World(server.host, TRUST);
  worlds.push(world);
  return world;
}
afterEach(() => {
  for (const world of worlds.splice(0)) world.remove();
});

const make = (version: number, change: Partial<BundleDescriptor> = {}, by = ci) =>
  makeBundle(by, version, rules, change);
const codes = (outcomes: readonly Outcome[]) =>
  outcomes.map((it) => it.failures[0]?.code ?? it.kind);

it('R04 a digest of another repository is refused by what was signed, wherever it is served', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  expect(codes(await world.poll())).toEqual(['activated']);
  const before = world.changes;
  await world.offer(await make(6, { repository: 'registry.example.com/policies/other' }));
  expect(codes(await world.poll())).toEqual(['verify/scope-mismatch']);
  expect([await world.enforced(), world.changes]).toEqual(['v5', before]);
});

it('V06 what a tag says of the version counts for nothing; the signed value does', async () => {
  const world = newWorld();
  await world.offer(await make(5), 'v99', '99');
  const [outcome] = await world.poll();
  expect(outcome).toMatchObject({ kind: 'activated', version: 5 });
  expect(expectOk(await (await world.host.start()).status()).highestSeen).toBe(5);
  await world.offer(await make(4), 'v100');
  expect(codes(await world.poll())).toEqual(['verify/rollback']);
  expect(await world.enforced()).toBe('v5');
});

it('V16 the floor rises after verification and not before, and also when activation then fails', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  await world.poll();
  const floors = async () => expectOk(await (await world.host.start()).status()).highestSeen;
  await world.offer(await make(90, {}, stranger));
  expect(codes(await world.poll())).toEqual(['verify/key-unknown']);
  expect(await floors()).toBe(5);
  await world.host.start();
  world.host.kernel.faults.failing.add('fill');
  await world.offer(await make(6));
  expect(codes(await world.poll())).toEqual(['activate/kernel-refused']);
  world.host.kernel.faults.failing.clear();
  expect(await floors()).toBe(6);
  expect(await world.enforced()).toBe('v5');
});

it('V18 nothing but root on the host allows a downgrade: no bundle, tag or environment', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  await world.poll();
  const wish = { 'allow-downgrade': 'true' };
  const names = ['WARDER_ALLOW_DOWNGRADE', 'WARDER_FORCE', 'ALLOW_DOWNGRADE'];
  for (const name of names) process.env[name] = '1';
  try {
    await world.offer(await make(4, { selectors: {} }), 'allow-downgrade', 'force');
    expect(codes(await world.poll())).toEqual(['verify/rollback']);
    // A selector is for labels of the host: what it asks for is not granted by being asked.
    await world.offer(await make(3, { selectors: wish }));
    expect((await world.poll())[0]?.failures.map((it) => it.code)).toContain('verify/rollback');
  } finally {
    for (const name of names) delete process.env[name];
  }
  expect(await world.enforced()).toBe('v5');
});

it('C11 a digest that was refused is not downloaded again until its time, or until trust changes', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  await world.poll();
  const forged = await make(6, {}, stranger);
  await world.offer(forged);
  expect(codes(await world.poll(4))).toEqual([
    'verify/key-unknown',
    ...['verify/key-unknown', 'verify/key-unknown', 'verify/key-unknown'],
  ]);
  const downloads = () => world.fetched.filter((it) => it === forged.digest).length;
  expect(downloads()).toBe(1);
  // After its time once more, and then for longer.
  world.host.clock.now += 61_000;
  await world.poll(3);
  expect(downloads()).toBe(2);
  world.host.clock.now += 61_000;
  await world.poll();
  expect(downloads()).toBe(2);
  world.host.trust = sealed({ ...trustIn(ci, stranger), version: 9 });
  world.trust = world.host.trust;
  await world.host.start();
  expect(codes(await world.poll())).toEqual(['activated']);
  expect(await world.enforced()).toBe('v6');
});

it('L06 bad bundles, however many, move neither what is active nor what it would go back to', async () => {
  const world = newWorld();
  for (const version of [5, 6]) {
    await world.offer(await make(version));
    expect(codes(await world.poll())).toEqual(['activated']);
  }
  const pointers = () => {
    const store = world.host.store;
    return [store?.read('lastKnownGood'), store?.read('previous'), store?.read('floor')];
  };
  const before = pointers();
  for (const version of [7, 8, 9]) {
    await world.offer(await make(version, {}, stranger));
    await world.offer(await make(version, { channel: 'staging' }));
    await world.offer(await make(version - 4));
    await world.poll(2);
  }
  expect(await world.enforced()).toBe('v6');
  expect(pointers()).toEqual(before);
});

it('C12 a stored blob that was edited is never used, and is made good from what was verified', async () => {
  const world = newWorld();
  const v5 = await make(5);
  await world.offer(v5);
  await world.poll();
  const blob = join(world.dir, 'blobs', 'sha256', v5.digest.slice(7));
  writeFileSync(blob, '{"edited":true}');
  const read = async () => {
    const store = expectOk(
      openStore({ folder: world.dir, keepPrevious: 2, onLostState: 'refuse' }),
    );
    expectOk(await store.load());
    const evidence = await store.evidence(v5.digest);
    store.close();
    return evidence.ok ? 'ok' : evidence.error.code;
  };
  expect(await read()).toBe('state/corrupt');
  expect(await world.enforced()).toBe('v5');
  // Another trust policy: it is fetched, verified and written again.
  world.host.trust = sealed({ ...TRUST, version: TRUST.version + 1 });
  world.trust = world.host.trust;
  await world.host.start();
  await world.poll();
  expect(await read()).toBe('ok');
});

it('a bundle for another kernel is kept out, and admitted once that kernel runs', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  await world.poll();
  const before = world.changes;
  await world.offer(await make(6, { requires: { kernel: '6.12', hooks: ['file_open'] } }));
  expect(codes(await world.poll(2))).toEqual(['verify/incompatible', 'verify/incompatible']);
  expect([await world.enforced(), world.changes]).toEqual(['v5', before]);
  expect(world.fetched).toHaveLength(2);
  world.host.reboot();
  world.host.kernel.release = '6.12.48-amd64';
  expect(codes(await world.poll())).toEqual(['activated']);
  expect(await world.enforced()).toBe('v6');
});

it('C14 a flood of denials after an activation reverts nothing', async () => {
  const world = newWorld();
  await world.offer(await make(5));
  await world.poll();
  await world.offer(await make(6));
  expect(codes(await world.poll())).toEqual(['activated']);
  const { enforcer, kernel } = world.host;
  for (let at = 0; at < 300; at += 1) kernel.emit('write', { rule: 0 });
  enforcer?.drain();
  expect(codes(await world.poll(2))).toEqual(['unchanged', 'unchanged']);
  expect(await world.enforced()).toBe('v6');
});
