// Break-glass at the enforcer: whose order it takes, for what, how often, and what the kernel is told; and
// that enforcement ends by such an order only.
//
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { GlassOrder, RelaxOrder } from '../../src/core/glass.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { disableBy, glassOf, placeOf, signOrder } from '../support/glass.ts';
import { makeSigner, type TestSigner, trustIn } from '../support/signed-bundle.ts';
import { rootsOf, sealed } from '../support/trust.ts';

const ci = makeSigner();
const [alice, bob, carol, root] = [makeSigner(), makeSigner(), makeSigner(), makeSigner()];
const TRUST = sealed({
  ...trustIn(ci),
  roots: rootsOf(1, root),
  breakGlass: glassOf(2, alice, bob, carol),
});
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const BOOT_MS = 10_000;
let v1: BundleBytes;
let v2: BundleBytes;
let host = new TestHost(TRUST);
let enforcer: Enforcer;

beforeAll(async () => {
  v1 = await makeBundle(ci, 1, [ruleFor('a/one', '/etc/hostname'), ruleFor('b/two', '/etc/hosts')]);
  v2 = await makeBundle(ci, 2, [
    ruleFor('0/first', '/etc/passwd'),
    ruleFor('a/one', '/etc/hostname'),
  ]);
});

afterEach(() => {
  host.remove();
  host = new TestHost(TRUST);
});

async function begin() {
  enforcer = await host.start();
  await enforce(enforcer, v1);
}

/** An order for this host, as it would be right, with what a test changes. */
async function order(change: Partial<RelaxOrder> = {}): Promise<RelaxOrder> {
  const place = placeOf(expectOk(await enforcer.askGlass()));
  const relax = { action: 'relax', rules: ['a/one'], cgroup: null, minutes: 10 } as const;
  return { ...relax, ...place, reason: 'the backup is broken', ...change };
}

async function use(given: GlassOrder, by: readonly TestSigner[] = [alice, bob]) {
  const answer = await enforcer.useGlass(await signOrder(given, ...by), 'root (uid 0)');
  return answer.ok ? answer.value : answer.error.code;
}

const inKernel = () => expectOk(host.kernel.glass());
const bits = () => inKernel()?.rules;
const status = async () => expectOk(await enforcer.status());

describe('an order', () => {
  it('of enough keys relaxes its rules, until a boot time that the kernel knows', async () => {
    await begin();
    const given = await order();
    const used = await use(given);
    expect(used).toMatchObject({ leftMs: 10 * MINUTE_MS, by: 'root (uid 0)', ended: null });
    expect(inKernel()).toMatchObject({
      untilNs: BigInt(BOOT_MS + 10 * MINUTE_MS) * 1_000_000n,
      generation: host.kernel.enforces,
      cgroup: null,
      // Bits are in the order of ids: the rules of the bundle, then the baseline.
      rules: 0b001n,
    });
    const { breakGlass, alerts } = await status();
    expect(breakGlass).toMatchObject({ order: given, signers: expect.any(Array) });
    expect(breakGlass?.signers).toHaveLength(2);
    expect(alerts.map((it) => it.code)).toContain('glass/in-use');
  });

  it('for a control group means every rule of the bundle, and none of the baseline', async () => {
    await begin();
    expect(await use(await order({ rules: [], cgroup: '/known' }))).toMatchObject({ ended: null });
    expect(inKernel()).toMatchObject({ cgroup: { id: 4711n, level: 1 }, rules: 0b011n });
  });

  it('follows its rules into the next generation, and ends with them', async () => {
    await begin();
    await use(await order());
    const before = inKernel();
    await enforce(enforcer, v2);
    expect(inKernel()).toMatchObject({ rules: 0b010n, untilNs: before?.untilNs });
    expect(inKernel()?.generation).toBe(host.kernel.enforces);
  });

  it('is taken up again by the next process, with the end that it had', async () => {
    await begin();
    await use(await order());
    const before = inKernel();
    host.kernel.setGlass(null);
    host.clock.now += 3 * MINUTE_MS;
    enforcer = await host.start();
    expect(inKernel()).toEqual(before);
    expect((await status()).breakGlass?.leftMs).toBe(7 * MINUTE_MS);
  });

  it('is over when its time is, and with the boot', async () => {
    await begin();
    await use(await order());
    host.clock.now += 10 * MINUTE_MS;
    expect((await status()).breakGlass).toBeNull();
    await use(await order());
    host.reboot();
    enforcer = await host.start();
    expect((await status()).breakGlass).toBeNull();
    expect(inKernel()).toBeNull();
  });

  it('can be ended, and stays in the record', async () => {
    await begin();
    await use(await order());
    expectOk(await enforcer.endGlass('root (uid 0)'));
    expect(inKernel()).toBeNull();
    expect(await enforcer.endGlass('root')).toMatchObject({ error: { code: 'glass/not-in-use' } });
    expect(expectOk(await enforcer.listGlass())).toMatchObject([
      { order: { reason: 'the backup is broken' }, ended: { by: 'root (uid 0)' } },
    ]);
  });
});

describe('an order is refused', () => {
  it.each([
    ['signed by too few', [alice], {}, 'glass/threshold-not-met'],
    ['signed twice by one', [alice, alice], {}, 'glass/threshold-not-met'],
    ['signed by a publisher and a root', [ci, root], {}, 'glass/threshold-not-met'],
    [
      'for another host',
      [alice, bob],
      { host: '11111111-2222-3333-4444-555555555555' },
      'glass/wrong-host',
    ],
    [
      'for another boot',
      [alice, bob],
      { boot: '99999999-0000-0000-0000-000000000000' },
      'glass/wrong-boot',
    ],
    [
      'for a request that nobody made',
      [alice, bob],
      { nonce: 'ab'.repeat(16) },
      'glass/nonce-unknown',
    ],
    ['for too long', [alice, bob], { minutes: 61 }, 'glass/over-limit'],
    ['for a rule that is not there', [alice, bob], { rules: ['a/none'] }, 'glass/rule-unknown'],
    [
      'for a rule of the baseline',
      [alice, bob],
      { rules: ['warder-baseline/canary'] },
      'glass/rule-protected',
    ],
    [
      'for a control group that is not there',
      [alice, bob],
      { cgroup: '/no' },
      'glass/cgroup-unknown',
    ],
    ['for no rule', [alice, bob], { rules: [] }, 'glass/statement-invalid'],
  ] as const)('%s', async (_what, by, change, code) => {
    await begin();
    expect(await use(await order(change), by)).toBe(code);
    expect(inKernel()).toBeNull();
  });

  it('when it was used before, also after its end and by another process', async () => {
    await begin();
    const given = await order();
    await use(given);
    expect(await use(given)).toBe('glass/used');
    expectOk(await enforcer.endGlass('root'));
    expect(await use(given)).toBe('glass/used');
    enforcer = await host.start();
    expect(await use(given)).toBe('glass/used');
    expect(inKernel()).toBeNull();
  });

  it('while another is in use', async () => {
    await begin();
    await use(await order());
    expect(await use(await order({ rules: ['b/two'] }))).toBe('glass/in-use');
    expect(bits()).toBe(0b001n);
  });

  it('when its request is too old, by boot time', async () => {
    await begin();
    const given = await order();
    host.clock.now += 25 * HOUR_MS;
    expect(await use(given)).toBe('glass/expired');
  });

  it('when it ends enforcement, and the other way round', async () => {
    await begin();
    const { host: here, boot, nonce } = await order();
    const off = { action: 'disable', host: here, boot, nonce, reason: 'x' } as const;
    expect(await use(off)).toBe('glass/wrong-action');
    const relax = await signOrder(await order(), alice, bob);
    expect(await enforcer.disable('root', 'x', relax)).toMatchObject({
      error: { code: 'glass/wrong-action' },
    });
    expect(host.kernel.enforces).not.toBeNull();
  });

  it('by a key that is revoked', async () => {
    host = new TestHost(
      sealed({ ...TRUST, revoked: { ...TRUST.revoked, keys: [bob.fingerprint] } }),
    );
    await begin();
    expect(await use(await order())).toBe('glass/threshold-not-met');
    expect(await use(await order(), [alice, carol])).toMatchObject({ ended: null });
  });

  it('where the trust policy names nobody', async () => {
    host = new TestHost(trustIn(ci));
    enforcer = await host.start();
    expect(await enforcer.askGlass()).toMatchObject({ error: { code: 'glass/not-configured' } });
    expect(await enforcer.disable('root', 'x', null)).toMatchObject({
      error: { code: 'glass/unsigned' },
    });
  });
});

describe('when something fails', () => {
  it('the nonce is spent before the kernel hears of it', async () => {
    await begin();
    const given = await order();
    host.kernel.faults.failing.add('setGlass');
    expect(await use(given)).toBe('activate/kernel-refused');
    host.kernel.faults.failing.clear();
    expect(await use(given)).toBe('glass/used');
  });
});

describe('disable', () => {
  it('wants an order, and is refused to root without one', async () => {
    await begin();
    expect(await enforcer.disable('root', 'x', null)).toMatchObject({
      error: { code: 'glass/unsigned' },
    });
    expect(host.kernel.enforces).not.toBeNull();
    expect(await disableBy(enforcer, alice)).toMatchObject({
      error: { code: 'glass/threshold-not-met' },
    });
    expect(expectOk(await disableBy(enforcer, alice, bob))).toEqual({ kind: 'nothing' });
    expect(host.kernel.enforces).toBeNull();
    expect((await status()).disabled).toMatchObject({ by: 'root', reason: 'a test' });
    // It ends already: nothing is left that an order would protect.
    expectOk(await enforcer.disable('root', 'again', null));
  });

  it('is completed by the next process when this one died on the way', async () => {
    await begin();
    host.kernel.faults.failing.add('disable');
    expect(await disableBy(enforcer, alice, bob)).toMatchObject({ ok: false });
    expect(host.kernel.enforces).not.toBeNull();
    host.kernel.faults.failing.clear();
    enforcer = await host.start();
    expect(host.kernel.enforces).toBeNull();
    expect((await status()).enforced).toEqual({ kind: 'nothing' });
  });
});
