// SPDX-License-Identifier: Apache-2.0

import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { disableBy, glassOf } from '../support/glass.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const signer = makeSigner();
const keeper = makeSigner();
const TRUST = { ...trustIn(signer), breakGlass: glassOf(1, keeper) };
const stranger = makeSigner();
let v1: BundleBytes;
let v2: BundleBytes;
let v3: BundleBytes;
let host = new TestHost(TRUST);

beforeAll(async () => {
  v1 = await makeBundle(signer, 1, [ruleFor('a/one', '/etc/hostname')]);
  v2 = await makeBundle(signer, 2, [ruleFor('a/one', '/etc/hostname')]);
  v3 = await makeBundle(signer, 3, [ruleFor('a/three', '/etc/hostname')]);
});

afterEach(() => {
  host.remove();
  host = new TestHost(TRUST);
});

async function enforcedDigest() {
  const { enforced } = expectOk(await (host.enforcer?.status() ?? Promise.reject()));
  return enforced.kind === 'bundle' ? enforced.bundle.digest : enforced.kind;
}

describe('activation', () => {
  it('enforces the baseline before the first bundle', async () => {
    const enforcer = await host.start();
    expect(await enforcedDigest()).toBe('baseline');
    expect(expectOk(await enforcer.probe()).healthy).toBe(true);
  });

  it('makes a verified bundle current, pending until it is confirmed', async () => {
    const enforcer = await host.start();
    const enforced = expectOk(await enforcer.activate(v1));
    expect(enforced).toMatchObject({ kind: 'bundle', confirmed: false });
    const report = expectOk(await enforcer.probe());
    expect(report).toMatchObject({ healthy: true, generation: host.kernel.enforces });
    expect(expectOk(await enforcer.confirm(v1.digest))).toMatchObject({ confirmed: true });
    const status = expectOk(await enforcer.status());
    expect(status.lastKnownGood?.digest).toBe(v1.digest);
    expect(status.highestSeen).toBe(1);
  });

  it('raises the floor on the disk before the kernel is touched', async () => {
    const enforcer = await host.start();
    host.kernel.faults.failing.add('fill');
    const before = host.kernel.enforces;
    expect(await enforcer.activate(v2)).toMatchObject({
      ok: false,
      error: { code: 'activate/kernel-refused' },
    });
    expect(host.kernel.faults.fired).toBe(1);
    expect(host.kernel.enforces).toBe(before);
    expect(host.store?.read('floor')?.highestSeen).toBe(2);
    expect(await enforcer.activate(v1)).toMatchObject({ error: { code: 'verify/rollback' } });
  });

  it('C13 leaves alone what is active already', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    const commits = host.kernel.calls.filter((it) => it === 'commit').length;
    expect(expectOk(await enforcer.activate(v2))).toMatchObject({ confirmed: true });
    expectOk(await enforcer.confirm(v2.digest));
    expect(host.kernel.calls.filter((it) => it === 'commit').length).toBe(commits);
    expect(host.store?.read('previous')).toBe(v1.digest);
  });

  it('refuses a stranger, a flipped byte and an older bundle, and changes nothing', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v2);
    const before = host.kernel.enforces;
    const forged = await makeBundle(stranger, 3);
    const config = v3.config.slice();
    config[10] = (config[10] ?? 0) ^ 1;
    const codes = [];
    for (const bad of [forged, { ...v3, config }, v1]) {
      const refused = await enforcer.activate(bad);
      codes.push(refused.ok ? 'accepted' : refused.error.code);
    }
    expect(codes).not.toContain('accepted');
    expect(codes[2]).toBe('verify/rollback');
    expect(new Set(codes).size).toBe(3);
    expect(host.kernel.enforces).toBe(before);
    expect(host.store?.read('floor')?.highestSeen).toBe(2);
  });

  it('case 88, C07: refuses a rule whose hook is not attached before any kernel change', async () => {
    const { fakePrograms } = await import('../support/fake-kernel.ts');
    host.kernel.programs = fakePrograms({ inode_setattr: 'rejected' });
    const enforcer = await host.start();
    const fills = host.kernel.calls.filter((it) => it === 'fill').length;
    expect(await enforcer.activate(v1)).toMatchObject({ error: { code: 'activate/partial' } });
    expect(host.kernel.calls.filter((it) => it === 'fill').length).toBe(fills);
    const lenient = { ...ruleFor('a/one', '/etc/hostname'), onMissingHook: 'audit' as const };
    expectOk(await enforcer.activate(await makeBundle(signer, 2, [lenient])));
    expect(expectOk(await enforcer.status()).demoted).toEqual(['a/one']);
    expect(expectOk(await enforcer.probe()).healthy).toBe(true);
  });

  it('refuses what a bundle requires and this host does not have, before the floor and the kernel', async () => {
    const needs = (kernel: string, ...hooks: string[]) =>
      makeBundle(signer, 2, [ruleFor('a/one', '/etc/hostname')], { requires: { kernel, hooks } });
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const before = host.kernel.calls.filter((it) => it === 'fill').length;
    for (const wanted of [await needs('6.2'), await needs('6.1', 'file_open', 'inode_nothing')]) {
      expect(await enforcer.activate(wanted)).toMatchObject({
        error: { code: 'verify/incompatible' },
      });
      const [record] = expectOk(await enforcer.records(1));
      expect(record).toMatchObject({ outcome: 'refused', code: 'verify/incompatible' });
    }
    expect(host.store?.read('floor')?.highestSeen).toBe(1);
    expect(host.kernel.calls.filter((it) => it === 'fill').length).toBe(before);
    // On the kernel that it needs it is admitted; and stays on an older one, where its rules can be enforced.
    host.kernel.release = '6.2.0';
    const later = await needs('6.2', 'file_open');
    await enforce(await host.start(), later);
    host.reboot();
    host.kernel.release = '6.1.9';
    await host.start();
    expect(await enforcedDigest()).toBe(later.digest);
  });

  it('commits nothing when the kernel reads back something else', async () => {
    const enforcer = await host.start();
    const before = host.kernel.enforces;
    host.kernel.faults.corruptFill = true;
    expect(await enforcer.activate(v1)).toMatchObject({
      error: { code: 'activate/read-back-mismatch' },
    });
    expect(host.kernel.enforces).toBe(before);
  });

  it('refuses a path whose directory is missing', async () => {
    const enforcer = await host.start();
    const bundle = await makeBundle(signer, 1, [ruleFor('a/one', '/no/such/place')]);
    expect(await enforcer.activate(bundle)).toMatchObject({
      error: { code: 'stage/parent-missing' },
    });
  });
});

describe('confirmation', () => {
  it('needs canaries of this very generation', async () => {
    const enforcer = await host.start();
    expectOk(await enforcer.probe());
    expectOk(await enforcer.activate(v1));
    expect(await enforcer.confirm(v1.digest)).toMatchObject({
      error: { code: 'confirm/health-no-data' },
    });
    host.kernel.faults.errnos.set('unlink', 0);
    expect(expectOk(await enforcer.probe()).healthy).toBe(false);
    expect(await enforcer.confirm(v1.digest)).toMatchObject({
      error: { code: 'confirm/health-failed' },
    });
    expect(await enforcer.confirm(v2.digest)).toMatchObject({
      error: { code: 'confirm/not-pending' },
    });
  });

  it('restores by itself when nobody confirms inside the window', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    expectOk(await enforcer.activate(v2));
    host.clock.advance(59_999);
    await enforcer.probe();
    expect(await enforcedDigest()).toBe(v2.digest);
    host.clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
    await enforcer.probe();
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(host.told.map((it) => it.code)).toContain('confirm/health-no-data');
  });
});

describe('restore', () => {
  it('is one update to the pinned bank, with nothing filled', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const good = host.kernel.enforces;
    expectOk(await enforcer.activate(v2));
    const from = host.kernel.calls.length;
    expectOk(await enforcer.restore('a test'));
    expect(host.kernel.enforces).toBe(good);
    const calls = host.kernel.calls.slice(from);
    expect(calls.filter((it) => it === 'commit')).toHaveLength(1);
    expect(calls).not.toContain('fill');
    expect(host.store?.read('floor')?.highestSeen).toBe(2);
  });

  it('builds the last-known-good from evidence when its bank is gone', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const bank = host.kernel.committedBank ?? 0;
    expectOk(await enforcer.activate(v2));
    expectOk(host.kernel.clear(bank));
    expectOk(await enforcer.restore('a test'));
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(expectOk(await enforcer.status()).enforced).toMatchObject({ confirmed: true });
  });

  it('C10 falls to the baseline, loudly, when nothing else is left', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const bank = host.kernel.committedBank ?? 0;
    expectOk(await enforcer.activate(v2));
    expectOk(host.kernel.clear(bank));
    damageEvidence(v1);
    expectOk(await enforcer.restore('a test'));
    expect(await enforcedDigest()).toBe('baseline');
    expect(host.told.map((it) => it.code)).toContain('restore/evidence-corrupt');
  });

  it('keeps the pinned last-known-good through ten activations that fail', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const good = host.kernel.enforces;
    for (let version = 2; version < 12; version += 1) {
      expectOk(await enforcer.activate(await makeBundle(signer, version)));
      expectOk(await enforcer.restore('a test'));
      expect(host.kernel.enforces).toBe(good);
    }
  });
});

describe('banks', () => {
  it('keep the last-known-good pinned while one unconfirmed bundle follows another', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    const good = host.kernel.enforces;
    for (let version = 3; version < 9; version += 1) {
      expectOk(await enforcer.activate(await makeBundle(signer, version)));
    }
    const from = host.kernel.calls.length;
    expectOk(await enforcer.restore('a test'));
    expect(host.kernel.enforces).toBe(good);
    expect(host.kernel.calls.slice(from)).not.toContain('fill');
    const then = host.kernel.calls.length;
    expectOk(await enforcer.rollback('alice', 'it hurts'));
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(host.kernel.calls.slice(then)).not.toContain('fill');
  });
});

describe('rollback', () => {
  it('returns to the previous bundle and holds until a higher version', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    expectOk(await enforcer.rollback('alice (uid 0)', 'it hurts'));
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(expectOk(await enforcer.status()).hold).toMatchObject({
      digest: v2.digest,
      by: 'alice (uid 0)',
      reason: 'it hurts',
    });
    expect(await enforcer.activate(v2)).toMatchObject({ error: { code: 'activate/held' } });
    await enforce(enforcer, v3);
    expect(expectOk(await enforcer.status()).hold).toBeNull();
  });

  it('ends with resume', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    expectOk(await enforcer.rollback('alice', 'it hurts'));
    expectOk(await enforcer.resume('alice'));
    await enforce(enforcer, v2);
    expect(await enforcedDigest()).toBe(v2.digest);
  });

  it('is refused when there is nothing before', async () => {
    const enforcer = await host.start();
    expect(await enforcer.rollback('alice', 'why not')).toMatchObject({
      error: { code: 'restore/no-previous' },
    });
    await enforce(enforcer, v1);
    expect(await enforcer.rollback('alice', 'why not')).toMatchObject({
      error: { code: 'restore/no-previous' },
    });
    expect(await enforcedDigest()).toBe(v1.digest);
  });
});

describe('disable', () => {
  it('takes the pins away and stays off until resume', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    expect(expectOk(await disableBy(enforcer, keeper))).toEqual({ kind: 'nothing' });
    expect(host.kernel.enforces).toBeNull();
    expect(await enforcer.activate(v2)).toMatchObject({ error: { code: 'activate/disabled' } });
    const again = await host.start();
    expect(host.kernel.enforces).toBeNull();
    expectOk(await again.resume('root'));
    expect(await enforcedDigest()).toBe(v1.digest);
  });

  it('loses no event of before: what new rings count has names of its own', async () => {
    const enforcer = await host.start();
    const denyOnce = async () => {
      await enforce(enforcer, v1);
      host.kernel.emit('write', { rule: 0 });
    };
    const deniedIds = async () =>
      expectOk(await enforcer.events({ limit: 100 })).flatMap(({ id, rule }) =>
        rule === 'a/one' ? [id] : [],
      );
    await denyOnce();
    // Nobody has read it from the ring yet.
    expectOk(await disableBy(enforcer, keeper));
    const before = await deniedIds();
    expect(before).toHaveLength(1);
    expectOk(await enforcer.resume('root'));
    await denyOnce();
    enforcer.drain();
    const after = await deniedIds();
    expect(after.slice(0, 1)).toEqual(before);
    expect(new Set(after).size).toBe(2);
  });
});

describe('restart', () => {
  it('adopts what is enforced and makes nothing again', async () => {
    await enforce(await host.start(), v1);
    const before = host.kernel.enforces;
    const from = host.kernel.calls.length;
    const again = await host.start();
    expect(host.kernel.enforces).toBe(before);
    const calls = host.kernel.calls.slice(from);
    for (const call of ['fill', 'commit', 'clear']) expect(calls).not.toContain(call);
    const status = expectOk(await again.status());
    expect(status).toMatchObject({ adopted: true, enforced: { confirmed: true } });
    expect(expectOk(await again.probe()).healthy).toBe(true);
  });

  const DAMAGES: readonly (readonly [string, string])[] = [
    ['a changed config', "UPDATE evidence SET bytes = x'00' WHERE kind = 'config'"],
    ['a file that is gone', "DELETE FROM evidence WHERE kind = 'file' AND position = 0"],
    [
      'a file that was changed with its hash',
      `UPDATE evidence SET bytes = x'00', blob_digest =
         'sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
         WHERE kind = 'file' AND position = 0`,
    ],
    ['a changed attestation', "UPDATE evidence SET bytes = x'00' WHERE kind = 'attestation'"],
    ['no evidence at all', 'DELETE FROM evidence'],
  ];

  it.each(DAMAGES)(
    'L02 tells of %s under what the kernel holds, and keeps that',
    async (_, sql) => {
      await enforce(await host.start(), v1);
      await host.start();
      expect(host.told).toEqual([]);
      const before = host.kernel.enforces;
      const from = host.kernel.calls.length;
      onDisk(sql);
      const again = await host.start();
      expect(host.told.map((it) => it.code)).toEqual(['restore/evidence-corrupt']);
      const { alerts, adopted } = expectOk(await again.status());
      expect(alerts.map((it) => it.code)).toEqual(['restore/evidence-corrupt']);
      expect([adopted, await enforcedDigest(), host.kernel.enforces]).toEqual([
        true,
        v1.digest,
        before,
      ]);
      const calls = host.kernel.calls.slice(from);
      for (const call of ['fill', 'commit', 'clear']) expect(calls).not.toContain(call);
      expect(expectOk(await again.probe()).healthy).toBe(true);
    },
  );

  it('L02 tells of a damaged last-known-good under a bundle that waits for its confirmation', async () => {
    const first = await host.start();
    await enforce(first, v1);
    expectOk(await first.activate(v2));
    damageEvidence(v1);
    await host.start();
    expect(host.told.map((it) => [it.code, it.message.includes(v1.digest)])).toEqual([
      ['restore/evidence-corrupt', true],
    ]);
    expect(await enforcedDigest()).toBe(v2.digest);
  });

  it('opens the window again for what nobody confirmed', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    expectOk(await enforcer.activate(v2));
    const again = await host.start();
    expect(await enforcedDigest()).toBe(v2.digest);
    host.clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    await again.probe();
    expect(await enforcedDigest()).toBe(v1.digest);
  });

  it('L01 brings the last-known-good back after a reboot, from evidence alone', async () => {
    const first = await host.start();
    await enforce(first, v1);
    await enforce(first, v2);
    host.reboot();
    const again = await host.start();
    expect(await enforcedDigest()).toBe(v2.digest);
    expect(expectOk(await again.probe()).healthy).toBe(true);
    expect(host.told).toEqual([]);
  });

  it('keeps an expired last-known-good in force after a reboot', async () => {
    await enforce(await host.start(), v2);
    host.reboot();
    host.clock.now = Date.parse('2040-01-01T00:00:00Z');
    await host.start();
    expect(await enforcedDigest()).toBe(v2.digest);
  });

  it('L02 goes from a damaged last-known-good to the one before, then to the baseline', async () => {
    const first = await host.start();
    await enforce(first, v1);
    await enforce(first, v2);
    damageEvidence(v2);
    host.reboot();
    await host.start();
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(host.told.map((it) => it.code)).toEqual(['restore/evidence-corrupt']);
    damageEvidence(v1);
    host.reboot();
    await host.start();
    expect(await enforcedDigest()).toBe('baseline');
  });

  it('L03 obeys the trust policy about a bundle whose signer is gone', async () => {
    await enforce(await host.start(), v1);
    const other = trustIn(stranger);
    host.trust = { ...other, onDistrustedLkg: 'keep-and-alert', fingerprint: v2.digest };
    await host.start();
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(host.told.map((it) => it.code)).toContain('restore/distrusted');
    host.trust = { ...other, onDistrustedLkg: 'baseline', fingerprint: v3.digest };
    await host.start();
    expect(await enforcedDigest()).toBe('baseline');
  });

  it('swaps to a generation with canaries when the canary objects are gone', async () => {
    await enforce(await host.start(), v1);
    const before = host.kernel.enforces ?? 0;
    const base = join(host.dir, 'canary');
    for (const name of readdirSync(base)) rmSync(join(base, name, 'file'), { force: true });
    const again = await host.start();
    expect(host.kernel.enforces).toBeGreaterThan(before);
    expect(await enforcedDigest()).toBe(v1.digest);
    expect(expectOk(await again.status()).enforced).toMatchObject({ confirmed: true });
    expect(expectOk(await again.probe()).healthy).toBe(true);
  });
});

it('refuses a bundle, and stays, when no new canary directory can be made', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v1);
  const base = join(host.dir, 'canary');
  rmSync(base, { recursive: true });
  writeFileSync(base, 'in the way');
  expect(await enforcer.activate(v2)).toMatchObject({ error: { code: 'stage/canary-failed' } });
  expect(await enforcedDigest()).toBe(v1.digest);
});

describe('the store', () => {
  it('V13 takes the floor from its second copy when the database is gone', async () => {
    await enforce(await host.start(), v2);
    host.reboot();
    for (const name of readdirSync(host.dir)) {
      if (name.startsWith('enforcer.db')) rmSync(join(host.dir, name));
    }
    const again = await host.start();
    expect(await again.activate(v1)).toMatchObject({ error: { code: 'verify/rollback' } });
  });

  it('V14 sets a damaged database aside, keeps the floor and says so', async () => {
    await enforce(await host.start(), v2);
    host.reboot();
    writeFileSync(join(host.dir, 'enforcer.db'), 'this is no database, and long enough to be one');
    const again = await host.start();
    expect(host.told.map((it) => it.code)).toContain('state/corrupt');
    expect(existsSync(join(host.dir, 'enforcer.db.damaged'))).toBe(true);
    expect(await enforcedDigest()).toBe('baseline');
    expect(await again.activate(v1)).toMatchObject({ error: { code: 'verify/rollback' } });
    await enforce(again, v2);
  });

  it('V13 admits nothing when every copy of the floor is gone, until an administrator resumes', async () => {
    await enforce(await host.start(), v2);
    host.reboot();
    writeFileSync(join(host.dir, 'enforcer.db'), 'this is no database, and long enough to be one');
    writeFileSync(join(host.dir, 'floor'), 'nor is this a floor');
    const again = await host.start();
    expect(await again.activate(v3)).toMatchObject({ error: { code: 'state/lost' } });
    expectOk(await again.resume('root'));
    await enforce(again, v3);
  });

  it('keeps the evidence of the newest admissions only, and never forgets that one was admitted', async () => {
    const enforcer = await host.start();
    const bundles: BundleBytes[] = [];
    for (let version = 1; version <= 10; version += 1) {
      const bundle = await makeBundle(signer, version);
      bundles.push(bundle);
      await enforce(enforcer, bundle);
    }
    const kept = bundles.filter(({ digest }) => host.store?.evidence(digest).ok);
    expect(kept).toEqual(bundles.slice(2));
    expect(host.store?.admittedDigests()).toHaveLength(10);
    expect(host.store?.confirmedDigests()).toHaveLength(8);
    expectOk(await enforcer.rollback('root', 'back'));
    expect(await enforcedDigest()).toBe(bundles[8]?.digest);
  });

  it('case 117: refuses a bundle that would lock the host out, and keeps its floor', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    const rule = {
      ...ruleFor('a/login', '/etc/shadow'),
      operations: ['read' as const],
    };
    const bad = await makeBundle(signer, 20, [rule]);
    expect(await enforcer.activate(bad)).toMatchObject({
      error: { code: 'activate/baseline-violation' },
    });
    expect(await enforcedDigest()).toBe(v1.digest);
    // Who logs in is exempt, the mode is audit, or the author said that it is wanted.
    const accepted = [
      { ...rule, except: [{ exe: '/usr/bin/login' }] },
      { ...rule, mode: 'audit' as const },
      { ...rule, acceptsLockout: true as const },
    ];
    for (const [index, one] of accepted.entries()) {
      expectOk(await enforcer.activate(await makeBundle(signer, 10 + index, [one])));
    }
  });

  it('refuses to judge validity when the clock went back', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    host.clock.now -= 10 * 60_000;
    expect(await enforcer.activate(v2)).toMatchObject({ error: { code: 'host/clock-suspect' } });
  });
});

function damageEvidence({ digest }: BundleBytes): void {
  onDisk("UPDATE evidence SET bytes = x'00' WHERE digest = ? AND kind = 'config'", digest);
}

function onDisk(sql: string, ...values: readonly string[]): void {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(join(host.dir, 'enforcer.db'));
  database.prepare(sql).run(...values);
  database.close();
}
