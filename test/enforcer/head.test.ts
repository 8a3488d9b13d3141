// The enforcer and the channel's head: what it demands before something new is enforced, what it
// remembers, and what a host does that was cloned from an old image or whose clock is wrong.
//
// SPDX-License-Identifier: Apache-2.0

import { cpSync, rmSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { makeSigner } from '../support/signed-bundle.ts';
import { NOW_MS } from '../support/verify.ts';

const release = makeSigner();
const clockwork = makeSigner();
const stranger = makeSigner();
const TRUST = trustWithHeads(release, clockwork);
let v5: BundleBytes;
let v6: BundleBytes;
let v6Other: BundleBytes;
let v40: BundleBytes;
const hosts: TestHost[] = [];

beforeAll(async () => {
  const rules = [ruleFor('a/one', '/etc/hostname')];
  v5 = await makeBundle(release, 5, rules);
  v6 = await makeBundle(release, 6, rules);
  v6Other = await makeBundle(release, 6, [ruleFor('a/two', '/etc/hostname')]);
  v40 = await makeBundle(release, 40, rules);
});
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
});

function newHost(trust = TRUST): TestHost {
  const host = new TestHost(trust);
  hosts.push(host);
  return host;
}

const codeOf = (answer: { readonly ok: boolean; readonly error?: { readonly code: string } }) =>
  answer.ok ? 'accepted' : answer.error?.code;

/** Offers a head that was made some hours ago. */
async function offer(enforcer: Enforcer, bundle: BundleBytes, version: number, hours = 1) {
  const head = headOf(bundle, version, NOW_MS - hours * HOUR_MS);
  return enforcer.head(await signHead(head, clockwork));
}

const enforcedVersion = async (enforcer: Enforcer) => {
  const { enforced } = expectOk(await enforcer.status());
  return enforced.kind === 'bundle' ? enforced.bundle.version : enforced.kind;
};

describe('a head at the enforcer', () => {
  it('is demanded before anything new is enforced, and must name it', async () => {
    const enforcer = await newHost().start();
    expect(codeOf(await enforcer.activate(v5))).toBe('verify/head-missing');
    expect(expectOk(await offer(enforcer, v5, 5))).toMatchObject({ state: 'fresh' });
    expect(codeOf(await enforcer.activate(v6))).toBe('verify/head-mismatch');
    await enforce(enforcer, v5);
    expect(await enforcedVersion(enforcer)).toBe(5);
  });

  it('V10 grows old: what is new is refused, what is enforced stays, also over a restart', async () => {
    const host = newHost();
    const enforcer = await host.start();
    expectOk(await offer(enforcer, v5, 5));
    await enforce(enforcer, v5);
    expectOk(await offer(enforcer, v6, 6, 0.5));
    host.clock.advance(25 * HOUR_MS);
    expect(codeOf(await enforcer.activate(v6))).toBe('verify/stale-head');
    expect(expectOk(await enforcer.status()).head).toMatchObject({ state: 'stale' });
    const again = await host.start();
    expect(await enforcedVersion(again)).toBe(5);
    expect(codeOf(await offer(again, v6, 6, 0.5))).toBe('verify/stale-head');
    host.reboot();
    expect(await enforcedVersion(await host.start())).toBe(5);
  });

  it('V11 never goes back, whoever offers the old one, and is not by a stranger', async () => {
    const host = newHost();
    const enforcer = await host.start();
    expectOk(await offer(enforcer, v6, 6, 1));
    expect(codeOf(await offer(enforcer, v6, 6, 2))).toBe('verify/rollback');
    expect(codeOf(await offer(enforcer, v5, 5, 0.5))).toBe('verify/rollback');
    const forged = await signHead(headOf(v40, 40, NOW_MS), stranger);
    expect(codeOf(await enforcer.head(forged))).toBe('verify/key-unknown');
    // Who may sign releases may not sign heads by that.
    const other = await signHead(headOf(v40, 40, NOW_MS), release);
    expect(codeOf(await enforcer.head(other))).toBe('verify/key-unknown');
    const again = await host.start();
    expect(expectOk(await again.status()).head?.last?.version).toBe(6);
    expect(codeOf(await offer(again, v5, 5, 0.5))).toBe('verify/rollback');
  });

  it('that contradicts another is equivocation, told until the process ends', async () => {
    const host = newHost();
    const enforcer = await host.start();
    expectOk(await offer(enforcer, v6, 6));
    await enforce(enforcer, v6);
    expect(codeOf(await offer(enforcer, v6Other, 6, 0.5))).toBe('verify/equivocation');
    expect(await enforcedVersion(enforcer)).toBe(6);
    const { alerts } = expectOk(await enforcer.status());
    expect(alerts.map((it) => it.code)).toContain('verify/equivocation');
  });

  it('raises the time floor: a clock that falls behind it admits nothing', async () => {
    const host = newHost();
    const enforcer = await host.start();
    expectOk(await offer(enforcer, v5, 5));
    await enforce(enforcer, v5);
    host.clock.now = NOW_MS - 48 * HOUR_MS;
    expect(codeOf(await offer(enforcer, v6, 6))).toBe('host/clock-suspect');
    expect(codeOf(await enforcer.activate(v6))).toBe('host/clock-suspect');
    expect(await enforcedVersion(enforcer)).toBe(5);
  });

  it('a clock that never was set is noticed before anything was seen', async () => {
    const host = newHost();
    host.clock.now = 0;
    const enforcer = await host.start();
    expect(codeOf(await offer(enforcer, v5, 5))).toBe('host/clock-suspect');
    expect(await enforcedVersion(enforcer)).toBe('baseline');
  });
});

describe('a host that was cloned from an image', () => {
  /** An image made when v5 was the newest, ten days ago. */
  async function image(trust = TRUST): Promise<TestHost> {
    const host = newHost(trust);
    host.clock.now = NOW_MS - 240 * HOUR_MS;
    const enforcer = await host.start();
    if (trust === TRUST) expectOk(await offer(enforcer, v5, 5, 241));
    await enforce(enforcer, v5);
    host.stop();
    return host;
  }

  function clone(golden: TestHost): TestHost {
    const host = newHost(golden.trust);
    rmSync(host.dir, { recursive: true });
    cpSync(golden.dir, host.dir, { recursive: true });
    host.bootId = '77777777-0000-0000-0000-000000000000';
    return host;
  }

  it('enforces what the image had, and takes the newest, however far behind its floor is', async () => {
    const enforcer = await clone(await image()).start();
    expect(await enforcedVersion(enforcer)).toBe(5);
    expectOk(await offer(enforcer, v40, 40));
    await enforce(enforcer, v40);
    expect(await enforcedVersion(enforcer)).toBe(40);
  });

  it('cannot be kept between its floor and the newest: what no fresh head names is refused', async () => {
    const enforcer = await clone(await image()).start();
    // The head that the registry kept from back then, and the bundle of that day.
    expect(codeOf(await offer(enforcer, v6, 6, 200))).toBe('verify/stale-head');
    expect(codeOf(await enforcer.activate(v6))).toBe('verify/stale-head');
    expect(await enforcedVersion(enforcer)).toBe(5);
  });

  it('whose clock is behind the image admits nothing, and what the image had is enforced', async () => {
    const host = clone(await image());
    host.clock.now = NOW_MS - 300 * HOUR_MS;
    const enforcer = await host.start();
    expect(await enforcedVersion(enforcer)).toBe(5);
    expect(codeOf(await offer(enforcer, v40, 40))).toBe('host/clock-suspect');
    expect(codeOf(await enforcer.activate(v6))).toBe('host/clock-suspect');
    // Corrected, it goes on by the head of today; the time floor is the head's from then on.
    host.clock.now = NOW_MS;
    expectOk(await offer(enforcer, v40, 40));
    await enforce(enforcer, v40);
    host.clock.now = NOW_MS - 2 * HOUR_MS;
    expect(codeOf(await enforcer.activate(v6))).toBe('host/clock-suspect');
  });

  it('whose clock stands at the image is as old as its clock: no further than heads of that day', async () => {
    const host = clone(await image());
    host.clock.now = NOW_MS - 240 * HOUR_MS;
    const enforcer = await host.start();
    // A head of today is from the future there: it is not taken for a clock.
    expect(codeOf(await offer(enforcer, v40, 40))).toBe('verify/not-yet-valid');
    expectOk(await offer(enforcer, v6, 6, 240));
    expect(codeOf(await enforcer.activate(v40))).toBe('verify/head-mismatch');
    await enforce(enforcer, v6);
    host.clock.now = NOW_MS;
    expect(codeOf(await enforcer.activate(v6))).toBe('verify/stale-head');
    expectOk(await offer(enforcer, v40, 40));
    await enforce(enforcer, v40);
  });

  it('is another host by its configuration: labels of its own count for all that is new', async () => {
    const web = { selectors: { role: 'web' } };
    const v7 = await makeBundle(release, 7, [ruleFor('a/one', '/etc/hostname')], web);
    const enforcer = await clone(await image()).start({ labels: { role: 'db' } });
    expect(await enforcedVersion(enforcer)).toBe(5);
    expectOk(await offer(enforcer, v7, 7));
    expect(codeOf(await enforcer.activate(v7))).toBe('verify/scope-mismatch');
    expect(await enforcedVersion(enforcer)).toBe(5);
  });

  it('without heads can be kept there: the floor alone is as old as the image', async () => {
    const plain = { ...TRUST, policies: TRUST.policies.map((it) => ({ ...it, freshness: null })) };
    const enforcer = await clone(await image(plain)).start();
    await enforce(enforcer, v6);
    expect(await enforcedVersion(enforcer)).toBe(6);
  });
});
