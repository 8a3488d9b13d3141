// The trust policy in force at the enforcer: which successor it takes, by whose signatures, what it asks
// before it distrusts what is active, and what then becomes of that.
//
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { takeTrust } from '../../src/enforcer/trust-in-force.ts';
import { encodeTrustDocument } from '../../src/wire/signed-trust.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { disableBy, glassOf } from '../support/glass.ts';
import { encodeJson, makeSigner, type TestSigner, trustIn } from '../support/signed-bundle.ts';
import { rootsOf, sealed, signTrust } from '../support/trust.ts';
import { NOW_MS } from '../support/verify.ts';

const ci = makeSigner();
const ciNext = makeSigner();
const [rootA, rootB, rootC, rootD] = [makeSigner(), makeSigner(), makeSigner(), makeSigner()];
const stranger = makeSigner();
const keeper = makeSigner();
const ROOTS = rootsOf(2, rootA, rootB, rootC);
const V4 = sealed({
  ...trustIn(ci),
  version: 4,
  roots: ROOTS,
  breakGlass: glassOf(1, keeper),
});
let v1: BundleBytes;
let v2: BundleBytes;
let byNext: BundleBytes;
let host = new TestHost(V4);

beforeAll(async () => {
  const rules = [ruleFor('a/one', '/etc/hostname')];
  v1 = await makeBundle(ci, 1, rules);
  v2 = await makeBundle(ci, 2, rules);
  byNext = await makeBundle(ciNext, 3, rules);
});
afterEach(() => {
  host.remove();
  host = new TestHost(V4);
});

/** A version that trusts these signers of bundles. */
function version(
  number: number,
  signers: readonly TestSigner[],
  change: Partial<TrustPolicy> = {},
): TrustPolicy {
  return { ...trustIn(...signers), version: number, roots: ROOTS, ...change };
}

async function offer(
  enforcer: Enforcer,
  next: TrustPolicy,
  by: readonly TestSigner[],
  force = false,
) {
  const answer = await enforcer.trust(await signTrust(next, ...by), force);
  return answer.ok ? answer.value : answer.error.code;
}

const inForce = async (enforcer: Enforcer) => expectOk(await enforcer.status()).trust.version;

describe('a successor', () => {
  it('takes over by a threshold of the roots, and decides from then on, also over a restart', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    expect(await enforcer.activate(byNext)).toMatchObject({
      error: { code: 'verify/key-unknown' },
    });
    expect(await offer(enforcer, version(5, [ci, ciNext]), [rootA, rootC])).toMatchObject({
      version: 5,
      distrusted: [],
    });
    await enforce(enforcer, byNext);
    const file = join(host.dir, 'trust.yaml');
    writeFileSync(file, encodeTrustDocument(V4));
    if (host.store === null) throw new Error('the host runs');
    const { trust, alert } = expectOk(takeTrust(file, host.store, false));
    expect(trust.version).toBe(5);
    expect(alert).toBeNull();
    // What is carried to the agent is what is in force.
    expect(expectOk(await enforcer.readTrust())).toEqual(encodeTrustDocument(trust));
  });

  it('is refused from too few roots, however often they sign, and from strangers', async () => {
    const enforcer = await host.start();
    const next = version(5, [ci]);
    const short = 'trust/threshold-not-met';
    expect(await offer(enforcer, next, [rootA])).toBe(short);
    expect(await offer(enforcer, next, [rootA, rootA, rootA])).toBe(short);
    expect(await offer(enforcer, next, [rootA, stranger, ci])).toBe(short);
    expect(await offer(enforcer, next, [stranger])).toBe(short);
    // Roots of the successor alone have no say about it.
    const own = version(5, [ci], { roots: rootsOf(2, stranger, rootD) });
    expect(await offer(enforcer, own, [stranger, rootD])).toBe(short);
    expect(await inForce(enforcer)).toBe(4);
  });

  it('is refused when two roots signed different content', async () => {
    const enforcer = await host.start();
    const one = await signTrust(version(5, [ci]), rootA);
    const other = await signTrust(version(5, [ci, stranger]), rootB);
    expect(await enforcer.trust([...one, ...other], false)).toMatchObject({
      error: { code: 'trust/threshold-not-met' },
    });
  });

  it('that changes the roots is signed by the old and by the new ones', async () => {
    const enforcer = await host.start();
    const next = version(5, [ci], { roots: rootsOf(2, rootC, rootD) });
    expect(await offer(enforcer, next, [rootA, rootB])).toBe('trust/threshold-not-met');
    expect(await offer(enforcer, next, [rootC, rootD])).toBe('trust/threshold-not-met');
    expect(await offer(enforcer, next, [rootA, rootC, rootD])).toMatchObject({ version: 5 });
    const after = version(6, [ci], { roots: rootsOf(2, rootC, rootD) });
    expect(await offer(enforcer, after, [rootA, rootB])).toBe('trust/threshold-not-met');
    expect(await offer(enforcer, after, [rootC, rootD])).toMatchObject({ version: 6 });
  });

  it('comes one version at a time, and never back', async () => {
    const enforcer = await host.start();
    const by = [rootA, rootB];
    expect(await offer(enforcer, version(6, [ci]), by)).toBe('trust/version-gap');
    expect(await offer(enforcer, version(4, [ci, stranger]), by)).toBe('trust/version-gap');
    expect(await offer(enforcer, version(5, [ci]), by)).toMatchObject({ version: 5 });
    expect(await offer(enforcer, version(6, [ci]), by)).toMatchObject({ version: 6 });
    expect(await offer(enforcer, version(5, [ci]), by)).toBe('trust/version-gap');
    expect(await inForce(enforcer)).toBe(6);
  });

  it('keeps having roots, and a root that is revoked is none', async () => {
    const enforcer = await host.start();
    expect(await offer(enforcer, version(5, [ci], { roots: null }), [rootA, rootB])).toBe(
      'trust/unsigned',
    );
    const revoked = { digests: [], keys: [rootA.fingerprint], identities: [] };
    expect(await offer(enforcer, version(5, [ci], { revoked }), [rootB, rootC])).toMatchObject({
      version: 5,
    });
    expect(await offer(enforcer, version(6, [ci]), [rootA, rootB])).toBe('trust/threshold-not-met');
  });

  it('that is vacuous, or no trust policy at all, is refused whoever signed it', async () => {
    const enforcer = await host.start();
    expect(await offer(enforcer, version(5, []), [rootA, rootB])).toBe('trust/invalid');
    const junk = new TextEncoder().encode('{}');
    expect(await enforcer.trust([junk], false)).toMatchObject({
      error: { code: 'trust/threshold-not-met' },
    });
    expect(await inForce(enforcer)).toBe(4);
  });
});

describe('a change that would distrust what is active', () => {
  const roots = [rootA, rootB];

  it('L07 is refused with the list, changes nothing, and is told', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const answer = await enforcer.trust(await signTrust(version(5, [ciNext]), ...roots), false);
    expect(answer).toMatchObject({ error: { code: 'trust/would-distrust' } });
    expect(answer.ok ? [] : answer.error.causes).toEqual([
      expect.stringMatching(new RegExp(`^v1 \\(${v1.digest}\\): verify/key-unknown, `)),
    ]);
    const status = expectOk(await enforcer.status());
    expect(status.trust.version).toBe(4);
    expect(status.alerts.map((it) => it.code)).toEqual(['trust/would-distrust']);
    // The way that was meant: first a bundle that both admit.
    await enforce(enforcer, v2);
    expect(await offer(enforcer, version(5, [ci, ciNext]), roots)).toMatchObject({ version: 5 });
    await enforce(enforcer, byNext);
    expect(await offer(enforcer, version(6, [ciNext]), roots)).toMatchObject({ distrusted: [] });
    expect(expectOk(await enforcer.status()).alerts).toEqual([]);
  });

  it('is told before it is made, and telling changes nothing', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const preview = async (next: TrustPolicy) =>
      expectOk(await enforcer.previewTrust(encodeTrustDocument(next)));
    const said = { hasRoots: true, isProtected: false, timeFloorMs: NOW_MS };
    expect(await preview(version(9, [ci]))).toEqual({ ...said, distrusted: [] });
    expect(await preview(version(5, [ciNext]))).toEqual({
      ...said,
      distrusted: [{ digest: v1.digest, why: expect.stringMatching(/^verify\/key-unknown, /) }],
    });
    expect(await enforcer.previewTrust(encodeJson({}))).toMatchObject({ ok: false });
    expect(await inForce(enforcer)).toBe(4);
    expect(expectOk(await enforcer.status()).alerts).toEqual([]);
  });

  it('L03 forced by root, or by the roots that signed it, keeps it and says so', async () => {
    for (const forced of ['by root', 'by signature']) {
      const enforcer = await host.start();
      await enforce(enforcer, v1);
      const change = forced === 'by root' ? {} : { force: true };
      const revoked = { digests: [], keys: [ci.fingerprint], identities: [] };
      const next = version(5, [ci, ciNext], { revoked, ...change });
      expect(await offer(enforcer, next, roots, forced === 'by root')).toMatchObject({
        distrusted: [v1.digest],
      });
      const status = expectOk(await enforcer.status());
      expect(status.enforced).toMatchObject({ bundle: { digest: v1.digest } });
      expect(status.alerts.map((it) => it.code)).toContain('restore/distrusted');
      expect(await enforcer.activate(v2)).toMatchObject({ error: { code: 'verify/key-revoked' } });
      host.remove();
      host = new TestHost(V4);
    }
  });

  it('L03 forced, goes back to the baseline where that is configured, also at the next boot', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    const revoked = { digests: [], keys: [ci.fingerprint], identities: [] };
    const next = version(5, [ci, ciNext], { revoked, force: true, onDistrustedLkg: 'baseline' });
    expect(await offer(enforcer, next, roots)).toMatchObject({ distrusted: [v2.digest] });
    const enforced = async (it: Enforcer) => expectOk(await it.status()).enforced.kind;
    expect(await enforced(enforcer)).toBe('baseline');
    host.trust = sealed(next);
    host.reboot();
    const again = await host.start();
    expect(await enforced(again)).toBe('baseline');
    await enforce(again, byNext);
    expect(await enforced(again)).toBe('bundle');
  });
});

describe('the file on the host', () => {
  const write = (policy: TrustPolicy) => {
    const file = join(host.dir, 'trust.yaml');
    writeFileSync(file, encodeTrustDocument(policy));
    return file;
  };
  const take = (policy: TrustPolicy, isProtected = false) => {
    if (host.store === null) throw new Error('the host runs');
    return expectOk(takeTrust(write(policy), host.store, isProtected));
  };

  it('begins it all, is followed when it has no roots, and never goes back', async () => {
    const plain = { ...V4, roots: null };
    await host.start();
    expect(take(plain)).toMatchObject({ trust: { version: 4 }, pending: null, alert: null });
    expect(take({ ...plain, version: 5 })).toMatchObject({ pending: { version: 5 } });
    expect(take({ ...plain, version: 3 })).toMatchObject({ alert: { code: 'trust/invalid' } });
    // Roots come in by the file, once.
    expect(take({ ...V4, version: 5 })).toMatchObject({ pending: { version: 5, roots: ROOTS } });
  });

  it('cannot get past roots, except while enforcement is disabled', async () => {
    const enforcer = await host.start();
    expect(take(V4)).toMatchObject({ trust: { version: 4 } });
    const usurped = version(5, [stranger], { roots: rootsOf(1, stranger) });
    expect(take(usurped)).toMatchObject({ pending: null, alert: { code: 'trust/unsigned' } });
    expectOk(await disableBy(enforcer, keeper));
    expect(take(usurped)).toMatchObject({ pending: { version: 5 }, alert: null });
  });

  it('cannot bring other keys under the version in force where the kernel closes it, nor another root', async () => {
    const plain = { ...V4, roots: null };
    const enforcer = await host.start();
    take(plain);
    // The file is the same; what it names is not.
    const exchanged = sealed({ ...trustIn(ci, stranger), version: 4 });
    expect(take(exchanged, true)).toMatchObject({
      trust: { version: 4, fingerprint: sealed(plain).fingerprint },
      pending: null,
      alert: { code: 'trust/unsigned' },
    });
    expect(take(plain, true)).toMatchObject({ pending: null, alert: null });
    // Where nothing closes the file, its keys are as open as itself.
    expect(take(exchanged)).toMatchObject({ pending: { version: 4 }, alert: null });
    expect(take({ ...exchanged, version: 5 }, true)).toMatchObject({ pending: { version: 5 } });
    expectOk(await disableBy(enforcer, keeper));
    expect(take(exchanged, true)).toMatchObject({ pending: { version: 4 }, alert: null });
  });

  it('L07 is asked, like a signed one, what it would distrust', async () => {
    const plain = sealed({ ...trustIn(ci), version: 4 });
    host.trust = plain;
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    take(plain);
    const { pending } = take({ ...trustIn(ciNext), version: 5 });
    if (pending === null) throw new Error('a newer file is pending');
    expect(await enforcer.takeFile(pending)).toMatchObject({
      error: { code: 'trust/would-distrust' },
    });
    const { pending: forced } = take({ ...trustIn(ciNext), version: 5, force: true });
    expect(forced !== null && (await enforcer.takeFile(forced))).toMatchObject({ ok: true });
  });

  it('whose stored policy is of before roots and heads is read as one that demanded neither', async () => {
    await host.start();
    const { roots: _roots, breakGlass: _glass, force: _force, ...old } = V4;
    const policies = V4.policies.map(
      ({ freshness: _f, verification: _v, maxVersionStep: _m, release, ...rest }) => {
        const { allOf: _a, ...signers } = release;
        return { ...rest, release: signers };
      },
    );
    const stored = { ...old, policies } as unknown as TrustPolicy;
    if (host.store === null) throw new Error('the host runs');
    expectOk(host.store.write({ trust: stored }));
    const { trust } = take({ ...V4, roots: null });
    expect(trust).toMatchObject({
      roots: null,
      policies: [{ freshness: null, verification: null, release: { allOf: [] } }],
    });
  });
});
