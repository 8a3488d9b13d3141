// The attach proof of the process: made at every start, repeated, never older than it says.
//
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeAll, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import { judgeEnforcing } from '../../src/core/enforcer/proof.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import type { Faults } from '../support/fake-kernel.ts';
import { disableBy, glassOf } from '../support/glass.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const PERIOD_MS = 60_000;
const signer = makeSigner();
const keeper = makeSigner();
const TRUST = { ...trustIn(signer), breakGlass: glassOf(1, keeper) };
let v1: BundleBytes;
let v2: BundleBytes;
let host = new TestHost(TRUST);

beforeAll(async () => {
  v1 = await makeBundle(signer, 1, [ruleFor('a/one', '/etc/hostname')]);
  v2 = await makeBundle(signer, 2, [ruleFor('a/one', '/etc/hostname')]);
});

afterEach(() => {
  host.remove();
  host = new TestHost(TRUST);
});

async function status() {
  return expectOk(await (host.enforcer?.status() ?? Promise.reject()));
}

const enforcing = async () => judgeEnforcing(await status());
const codes = async () => (await status()).proof?.reasons.map((it) => it.code);

it('is made at a first start, after an adoption and after a reboot, without an activation', async () => {
  const enforcer = await host.start();
  expect(await enforcing()).toBe('yes');
  await enforce(enforcer, v1);
  for (const again of [() => undefined, () => host.reboot()]) {
    again();
    await host.start();
    expect((await status()).enforced).toMatchObject({ kind: 'bundle', confirmed: true });
    expect(await enforcing()).toBe('yes');
  }
});

it('is worth nothing after a swap, until it is made again', async () => {
  const enforcer = await host.start();
  expectOk(await enforcer.activate(v1));
  expect(await enforcing()).toBe('unproven');
  expectOk(await enforcer.probe());
  expect(await enforcing()).toBe('yes');
});

it('is made again after a return and after resume, and is gone after disable', async () => {
  const enforcer = await host.start();
  expectOk(await enforcer.activate(v1));
  expectOk(await enforcer.restore('a test'));
  expect(await enforcing()).toBe('yes');
  expectOk(await disableBy(enforcer, keeper));
  expect((await status()).proof).toBeNull();
  expectOk(await enforcer.resume('root'));
  expect(await enforcing()).toBe('yes');
});

it('is repeated every period, and tells its age', async () => {
  const enforcer = await host.start();
  const stop = new AbortController();
  const proving = enforcer.keepProving(stop.signal);
  host.clock.advance(PERIOD_MS - 1);
  expect((await status()).proof).toMatchObject({ ageMs: PERIOD_MS - 1, periodMs: PERIOD_MS });
  host.kernel.faults.unpinned.add('inode_link');
  expect(await enforcing()).toBe('yes');
  host.clock.advance(1);
  while ((await status()).proof?.ageMs !== 0) await Promise.resolve();
  expect(await codes()).toEqual(['host/proof-link']);
  expect(host.told.map((it) => it.code)).toContain('host/proof-link');
  stop.abort();
  await proving;
});

it('is unknown when it is older than two periods', async () => {
  await host.start();
  host.clock.advance(2 * PERIOD_MS);
  expect(await enforcing()).toBe('yes');
  host.clock.advance(1);
  expect(await enforcing()).toBe('unknown');
});

it.each([
  ['proof', 'unknown', 'host/proof-unanswered'],
  ['committed', 'no', 'host/proof-unanswered'],
  ['readBack', 'unknown', 'host/proof-unanswered'],
  ['tryAll', 'unknown', 'host/proof-unanswered'],
  ['counters', 'unknown', 'host/proof-unanswered'],
  ['drainEvents', 'unknown', 'host/proof-unanswered'],
] as const)('is no yes when the kernel does not answer to %s', async (call, state, code) => {
  const enforcer = await host.start();
  host.kernel.faults.failing.add(call);
  await enforcer.probe();
  expect(await codes()).toContain(code);
  expect(await enforcing()).toBe(state);
});

it('keeps a generation from being confirmed whatever its canaries say', async () => {
  const enforcer = await host.start();
  expectOk(await enforcer.activate(v1));
  host.kernel.faults.unpinned.add('bprm_check_security');
  const report = expectOk(await enforcer.probe());
  expect(report.results.every((it) => it.outcome === 'denied')).toBe(true);
  expect(report.healthy).toBe(false);
  expect(await enforcer.confirm(v1.digest)).toMatchObject({
    error: { code: 'confirm/health-failed' },
  });
});

it('does not say that enforcement ended while somebody else holds its links', async () => {
  const enforcer = await host.start();
  host.kernel.faults.linksAlive = 2;
  expect(await disableBy(enforcer, keeper)).toMatchObject({
    error: { code: 'host/links-alive' },
  });
  expect((await status()).alerts.map((it) => it.code)).toContain('host/links-alive');
  host.kernel.faults.linksAlive = 0;
  expectOk(await enforcer.resume('root'));
  expect(await enforcing()).toBe('yes');
});

it.each([
  ['loses events', (faults: Faults) => (faults.loseEvents = true)],
  ['repeats events', (faults: Faults) => (faults.repeatEvents = true)],
  ['does not count denials', (faults: Faults) => (faults.countDenials = false)],
  ['judges by another generation', (faults: Faults) => (faults.eventGeneration = 99)],
  ['allows one canary', (faults: Faults) => faults.errnos.set('rename', 0)],
  ['answers another errno', (faults: Faults) => faults.errnos.set('rename', 1)],
])('is disproven when the kernel %s', async (_, sabotage) => {
  const enforcer = await host.start();
  sabotage(host.kernel.faults);
  await enforcer.probe();
  expect(await codes()).toEqual(['host/proof-canary']);
  expect(await enforcing()).toBe('no');
});

it('tells a generation that somebody put back, and a restart returns from it', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const first = host.kernel.enforces;
  await enforce(enforcer, v2);
  expectOk(host.kernel.commit((host.kernel.committedBank ?? 0) - 1));
  expect(host.kernel.enforces).toBe(first);
  await enforcer.probe();
  expect(await codes()).toEqual(['host/proof-committed']);
  await host.start();
  expect((await status()).enforced).toMatchObject({ bundle: { version: 2 } });
  expect(await enforcing()).toBe('yes');
});

it('gives content that somebody changed maps of its own at a restart', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const before = host.kernel.enforces;
  host.kernel.swapMap();
  await enforcer.probe();
  expect(await codes()).toEqual(['host/proof-content']);
  await host.start();
  expect(host.kernel.enforces).toBeGreaterThan(before ?? 0);
  expect((await status()).enforced).toMatchObject({ bundle: { version: 1 }, confirmed: true });
  expect(await enforcing()).toBe('yes');
});

it('is published each time, and taken back when a swap makes it worthless', async () => {
  const enforcer = await host.start();
  expectOk(await enforcer.activate(v1));
  expectOk(await enforcer.probe());
  expect(host.proofs.map((it) => it?.state ?? null)).toEqual(['proven', null, 'proven']);
});
