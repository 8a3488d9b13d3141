// The attach proof of the process: made at every start, repeated, never older than it says.
//
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeAll, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import { judgeEnforcing } from '../../src/core/enforcer/proof.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { disableBy, glassOf } from '../support/glass.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const PERIOD_MS = 60_000;
const signer = makeSigner();
const keeper = makeSigner();
const TRUST = { ...trustIn(signer), breakGlass: glassOf(1, keeper) };
let v1: BundleBytes;
let host = new TestHost(TRUST);

beforeAll(async () => {
  v1 = await makeBundle(signer, 1, [ruleFor('a/one', '/etc/hostname')]);
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
