// SPDX-License-Identifier: Apache-2.0

// The process dies between every two effects; kernel and disk survive. A restart has exactly the old
// content or exactly the new one, the floor never falls, and another activation succeeds.
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Step } from '../../src/enforcer/generations.ts';
import { Crash, enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const signer = makeSigner();
let v1: BundleBytes;
let v2: BundleBytes;
let v3: BundleBytes;
let host = new TestHost(trustIn(signer));

beforeAll(async () => {
  v1 = await makeBundle(signer, 1, [ruleFor('a/one', '/etc/hostname')]);
  v2 = await makeBundle(signer, 2, [ruleFor('a/two', '/etc/hostname')]);
  v3 = await makeBundle(signer, 3, [ruleFor('a/three', '/etc/hostname')]);
});

afterEach(() => {
  host.remove();
  host = new TestHost(trustIn(signer));
});

const ACTIVATION: readonly Step[] = [
  'verified',
  'floor-raised',
  'admitted',
  'compiled',
  'announced',
  'filled',
  'read-back',
  'committed',
  'recorded',
  'confirmed',
];

for (const reboot of [false, true]) {
  const then = reboot ? 'a reboot' : 'a restart';
  for (const step of ACTIVATION) {
    it(`case 84, C08: dies after "${step}": ${then} has old or new, and goes on`, async () => {
      const enforcer = await host.start();
      await enforce(enforcer, v1);
      const wasEnforced = host.kernel.enforces;
      host.crashAt = step;
      await expect(enforce(enforcer, v2)).rejects.toThrow(Crash);
      // No process runs: something is enforced all the same.
      expect(host.kernel.enforces).not.toBeNull();
      const isNew = host.kernel.enforces !== wasEnforced;
      expect(isNew).toBe(['committed', 'recorded', 'confirmed'].includes(step));
      if (reboot) host.reboot();
      const again = await host.start();
      const status = expectOk(await again.status());
      const expected = reboot ? step === 'confirmed' : isNew;
      expect(status.enforced).toMatchObject({
        bundle: { digest: expected ? v2.digest : v1.digest },
        confirmed: expected ? step === 'confirmed' : true,
      });
      expect(status.highestSeen).toBe(step === 'verified' ? 1 : 2);
      await enforce(again, v3);
      expect(expectOk(await again.status()).lastKnownGood?.digest).toBe(v3.digest);
    });
  }
}

const ROLLBACK: readonly Step[] = ['hold-written', 'read-back', 'committed', 'recorded'];

for (const step of ROLLBACK) {
  it(`carries a rollback out that died after "${step}"`, async () => {
    const enforcer = await host.start();
    await enforce(enforcer, v1);
    await enforce(enforcer, v2);
    host.crashAt = step;
    await expect(enforcer.rollback('alice', 'it hurts')).rejects.toThrow(Crash);
    const again = await host.start();
    const status = expectOk(await again.status());
    expect(status.enforced).toMatchObject({ bundle: { digest: v1.digest }, confirmed: true });
    expect(status.hold).toMatchObject({ digest: v2.digest });
    expect(status.highestSeen).toBe(2);
  });
}
