// The drills of docs/runbooks, played from end to end: roots sign, a version goes into a layout, the
// follower of an agent carries it, the enforcer decides. Real signatures and disks; a fake kernel.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { TrustFollower } from '../../src/controller/follow-trust.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Repository } from '../../src/core/reference.ts';
import type { Result } from '../../src/core/result.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { publishTrust } from '../../src/publisher/sign-trust.ts';
import { parseTrustDocument } from '../../src/wire/signed-trust.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { disableBy, glassOf, placeOf, signOrder } from '../support/glass.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { makeSigner, type TestSigner, trustIn } from '../support/signed-bundle.ts';
import { rootsOf, sealed, signTrust } from '../support/trust.ts';
import { NOW_MS } from '../support/verify.ts';

const [ci, ciNext, clockwork] = [makeSigner(), makeSigner(), makeSigner()];
const [rootA, rootB, rootC, rootD] = [makeSigner(), makeSigner(), makeSigner(), makeSigner()];
const ROOTS = rootsOf(2, rootA, rootB, rootC);
const RULES = [ruleFor('a/one', '/etc/hostname')];
let v1: BundleBytes;
let v2: BundleBytes;
let byNext: BundleBytes;
let host: TestHost;
let trust: TrustPolicy;
let repository: Repository & { readonly kind: 'oci-layout' };

beforeAll(async () => {
  v1 = await makeBundle(ci, 1, RULES);
  v2 = await makeBundle(ci, 2, RULES);
  byNext = await makeBundle(ciNext, 3, RULES);
});
beforeEach(() => {
  trust = sealed(policy(1, [ci]));
  host = new TestHost(trust);
  repository = { kind: 'oci-layout', dir: mkdtempSync(join(tmpdir(), 'warder-drill-')) };
});
afterEach(() => {
  host.remove();
  rmSync(repository.dir, { recursive: true, force: true });
});

function policy(
  version: number,
  signers: readonly TestSigner[],
  change: Partial<TrustPolicy> = {},
): TrustPolicy {
  return { ...trustIn(...signers), version, roots: ROOTS, ...change };
}

/** Roots sign a version, it is published, and a host looks; answers what the agent was told. */
async function rotate(
  enforcer: Enforcer,
  next: TrustPolicy,
  by: readonly TestSigner[],
): Promise<readonly string[]> {
  const registry = createLayoutRegistry();
  const statements = await signTrust(next, ...by);
  expectOk(await publishTrust({ policy: sealed(next), statements }, registry, repository, 'prod'));
  const told: string[] = [];
  const follower = new TrustFollower(trust, {
    ...{ registry, enforcer, clock: host.clock, repository, channel: 'prod' },
    parse: parseTrustDocument,
    tell: (why) => told.push(why.code),
  });
  trust = (await follower.look(false)) ?? trust;
  return told;
}

const enforced = async (enforcer: Enforcer) => {
  const status = expectOk(await enforcer.status());
  return status.enforced.kind === 'bundle'
    ? `v${status.enforced.bundle.version}`
    : status.enforced.kind;
};
const codeOf = async (answer: Promise<Result<unknown>>) => {
  const it = await answer;
  return it.ok ? 'accepted' : it.error.code;
};
const revoking = (...keys: readonly TestSigner[]) => ({
  revoked: { digests: [], keys: keys.map((it) => it.fingerprint), identities: [] },
});

it('planned-rotation: add the new key, release with it, then drop the old one', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  expect(await rotate(enforcer, policy(2, [ci, ciNext]), [rootA, rootB])).toEqual([]);
  expect(trust.version).toBe(2);
  // Too early: the bundle in force is of the old key.
  expect(await rotate(enforcer, policy(3, [ciNext]), [rootA, rootB])).toEqual([
    'trust/would-distrust',
  ]);
  expect([trust.version, await enforced(enforcer)]).toEqual([2, 'v1']);
  await enforce(enforcer, byNext);
  host.clock.advance(6 * 60_000);
  expect(await rotate(enforcer, policy(3, [ciNext]), [rootB, rootC])).toEqual([]);
  expect([trust.version, await enforced(enforcer)]).toEqual([3, 'v3']);
  const late = await makeBundle(ci, 4, RULES);
  expect(await codeOf(enforcer.activate(late))).toBe('verify/key-unknown');
});

it('emergency-revocation: one forced version takes the old key away everywhere', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const next = policy(2, [ci, ciNext], { ...revoking(ci), force: true });
  expect(await rotate(enforcer, next, [rootA, rootC])).toEqual([]);
  expect(await codeOf(enforcer.activate(v2))).toBe('verify/key-revoked');
  // Kept, and said so: nothing would be worse than the policy of yesterday.
  expect(await enforced(enforcer)).toBe('v1');
  const { alerts } = expectOk(await enforcer.status());
  expect(alerts.map((it) => it.code)).toContain('restore/distrusted');
  await enforce(enforcer, byNext);
  expect(await enforced(enforcer)).toBe('v3');
  host.reboot();
  host.trust = trust;
  expect(await enforced(await host.start())).toBe('v3');
});

it('lost-key: the other roots replace one of them; without enough of them only disable is left', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const roots = rootsOf(2, rootB, rootC, rootD);
  expect(await rotate(enforcer, policy(2, [ci], { roots }), [rootB, rootC])).toEqual([]);
  expect(trust.version).toBe(2);
  // Two lost at once: what is left cannot sign.
  host.clock.advance(6 * 60_000);
  expect(await rotate(enforcer, policy(3, [ci], { roots: rootsOf(1, rootB) }), [rootB])).toEqual([
    'trust/threshold-not-met',
  ]);
  expect([trust.version, await enforced(enforcer)]).toEqual([2, 'v1']);
});

it('compromised-ci: what it signed is refused, what it may not have signed stays, heads stay honest', async () => {
  const withHeads = (signer: TestSigner, version: number, change: Partial<TrustPolicy> = {}) =>
    trustWithHeads(signer, clockwork, { version, roots: ROOTS, ...change });
  trust = sealed(withHeads(ci, 1));
  host.trust = trust;
  const enforcer = await host.start();
  const name = async (bundle: BundleBytes, version: number, minutes: number) =>
    enforcer.head(
      await signHead(headOf(bundle, version, NOW_MS - HOUR_MS + minutes * 60_000), clockwork),
    );
  expectOk(await name(v1, 1, 0));
  await enforce(enforcer, v1);
  // The thief has the key for releases and the registry, not the one for heads.
  const evil = await makeBundle(ci, 2, []);
  const own = await signHead(headOf(evil, 2, NOW_MS), ci);
  expect(await enforcer.head(own)).toMatchObject({ error: { code: 'verify/key-unknown' } });
  expect(await codeOf(enforcer.activate(evil))).toBe('verify/head-mismatch');
  // Nor can the versions be used up by one leap.
  const leap = await makeBundle(ci, 2 ** 40, []);
  expect(await name(leap, 2 ** 40, 5)).toMatchObject({ error: { code: 'verify/version-step' } });
  const next = withHeads(ciNext, 2, { ...revoking(ci), force: true });
  expect(await rotate(enforcer, next, [rootA, rootB])).toEqual([]);
  expectOk(await name(byNext, 3, 10));
  await enforce(enforcer, byNext);
  expect(await codeOf(enforcer.activate(evil))).toBe('verify/key-unknown');
  expect(await enforced(enforcer)).toBe('v3');
});

it('compromised-registry: it can hide and repeat, and neither enforce nor rotate anything', async () => {
  trust = sealed(trustWithHeads(ci, clockwork, { version: 1, roots: ROOTS }));
  host.trust = trust;
  const enforcer = await host.start();
  const old = await signHead(headOf(v1, 1, NOW_MS - 2 * HOUR_MS), clockwork);
  expectOk(await enforcer.head(old));
  await enforce(enforcer, v1);
  expectOk(await enforcer.head(await signHead(headOf(v2, 2, NOW_MS - HOUR_MS), clockwork)));
  await enforce(enforcer, v2);
  // Repeated: the old head, the old bundle. Made up: a trust policy of its own.
  expect(await enforcer.head(old)).toMatchObject({ error: { code: 'verify/rollback' } });
  expect(await codeOf(enforcer.activate(v1))).toBe('verify/rollback');
  const thief = makeSigner();
  const usurped = policy(2, [thief], { roots: rootsOf(1, thief), force: true });
  expect(await rotate(enforcer, usurped, [thief])).toEqual(['trust/threshold-not-met']);
  // Hidden: the head grows old, which is told, and takes nothing away.
  host.clock.advance(30 * HOUR_MS);
  const status = expectOk(await enforcer.status());
  expect(status.head).toMatchObject({ state: 'stale' });
  expect([trust.version, await enforced(enforcer)]).toEqual([1, 'v2']);
});

it('break-glass: asked on the host, signed by two elsewhere, used once, and ended by its time', async () => {
  const [alice, bob] = [makeSigner(), makeSigner()];
  trust = sealed(policy(1, [ci], { breakGlass: glassOf(2, alice, bob) }));
  host.trust = trust;
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const place = placeOf(expectOk(await enforcer.askGlass()));
  const relax = { action: 'relax', rules: ['a/one'], cgroup: null, minutes: 30 } as const;
  const order = { ...relax, ...place, reason: 'the password tool is broken' };
  expect(await codeOf(enforcer.useGlass(await signOrder(order, alice), 'root'))).toBe(
    'glass/threshold-not-met',
  );
  const signed = await signOrder(order, alice, bob);
  expectOk(await enforcer.useGlass(signed, 'root'));
  const status = expectOk(await enforcer.status());
  expect(status.breakGlass).toMatchObject({ order, by: 'root' });
  // Nobody comes back to end it.
  host.clock.advance(30 * 60_000);
  expect(expectOk(await enforcer.status()).breakGlass).toBeNull();
  expect(await codeOf(enforcer.useGlass(signed, 'root'))).toBe('glass/used');
  expect(expectOk(await enforcer.listGlass())).toMatchObject([{ order, ended: null }]);
  expect(await codeOf(enforcer.disable('root', 'because', null))).toBe('glass/unsigned');
  expectOk(await disableBy(enforcer, alice, bob));
  expect(host.kernel.enforces).toBeNull();
});

it('each has a runbook, and each runbook is played here', () => {
  const books = readdirSync(new URL('../../docs/runbooks/', import.meta.url)).sort();
  expect(books).toEqual([
    'break-glass.md',
    'compromised-ci.md',
    'compromised-registry.md',
    'emergency-revocation.md',
    'lost-key.md',
    'planned-rotation.md',
  ]);
});
