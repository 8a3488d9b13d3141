// L04: the trusted root is rotated, and what vouched for the last-known-good is gone from it. Real
// certificates, log entries and timestamps of a private sigstore; a real store; a fake kernel.
//
// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { collectEvidence, collectStatements } from '../../src/adapters/sigstore/collect.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { repeatDecision } from '../../src/decision/repeat.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { parseRecord } from '../../src/wire/decision-record.ts';
import { enforce, expectOk, TestHost } from '../support/enforcer.ts';
import { makeIdentity, makeReleased, signKeyless, trustIdentities } from '../support/keyless.ts';
import { type PrivateSigstore, startSigstore } from '../support/private-sigstore.ts';
import { encodeJson } from '../support/signed-bundle.ts';
import { sealed } from '../support/trust.ts';

let before: PrivateSigstore;
let after: PrivateSigstore;
let v7: BundleBytes;
let host: TestHost;

beforeAll(async () => {
  [before, after] = await Promise.all([startSigstore(), startSigstore()]);
  const { bytes, release } = makeReleased();
  v7 = { ...bytes, attestations: [encodeJson(await signKeyless(before, release))] };
});
afterAll(() => Promise.all([before.stop(), after.stop()]));
beforeEach(() => {
  host = newHost();
});
afterEach(() => host.remove());

/** Timestamps are of today, so the clock is, too. */
function newHost(): TestHost {
  const made = new TestHost(sealed(trustIdentities(before)));
  made.clock.now = Date.now();
  return made;
}

/** The policy with the root of after the rotation, applied although it says what it would distrust. */
const rotated = (change: Partial<TrustPolicy> = {}, identities = [makeIdentity()]): TrustPolicy =>
  sealed({ ...trustIdentities(after, identities), version: 2, force: true, ...change });

/** The process of another boot, which goes by the rotated policy from its start. */
async function bootUnder(next: TrustPolicy): Promise<Enforcer> {
  const enforcer = await host.start();
  await enforce(enforcer, v7);
  host.trust = next;
  host.reboot();
  return host.start();
}

const stateOf = async (enforcer: Enforcer) => {
  const { enforced, alerts } = expectOk(await enforcer.status());
  return [enforced.kind, ...alerts.map((it) => it.code)];
};
const codeOf = async (enforcer: Enforcer) => {
  const answer = await enforcer.activate(v7);
  return answer.ok ? 'accepted' : answer.error.code;
};

it.each(['keep-and-alert', 'baseline'] as const)(
  'L04 the last-known-good stays, by the root that was kept with it, and is told (%s)',
  async (onDistrustedLkg) => {
    const enforcer = await bootUnder(rotated({ onDistrustedLkg }));
    expect(await stateOf(enforcer)).toEqual(['bundle', 'restore/trust-changed']);
    // New is judged by the new root alone, also the same bytes.
    expect(await codeOf(enforcer)).toBe('verify/timestamp-invalid');
  },
);

it('L04 the root is taken over while the process runs, refused first, and told when forced', async () => {
  const enforcer = await host.start();
  await enforce(enforcer, v7);
  const touched = host.kernel.calls.filter((it) => it === 'fill' || it === 'commit').length;
  expect(await enforcer.takeFile(rotated({ force: false }))).toMatchObject({
    error: { code: 'trust/would-distrust' },
  });
  expectOk(await enforcer.takeFile(rotated({ onDistrustedLkg: 'baseline' })));
  expect(await stateOf(enforcer)).toEqual(
    expect.arrayContaining(['bundle', 'restore/trust-changed']),
  );
  expect(host.kernel.calls.filter((it) => it === 'fill' || it === 'commit')).toHaveLength(touched);
});

it('L04 only the root is of then: who may sign and what is revoked are of now', async () => {
  const others = [makeIdentity({ repositoryId: '1' })];
  for (const next of [
    rotated({ onDistrustedLkg: 'baseline' }, others),
    rotated({
      onDistrustedLkg: 'baseline',
      revoked: { digests: [v7.digest], keys: [], identities: [] },
    }),
  ]) {
    const enforcer = await bootUnder(next);
    expect(await stateOf(enforcer)).toEqual(['baseline', 'restore/distrusted']);
    host.remove();
    host = newHost();
  }
});

it('L04 a kept root that was changed on the disk, or was never kept, vouches for nothing', async () => {
  for (const change of [
    `UPDATE roots SET json = '${after.root.json.replaceAll("'", "''")}'`,
    'UPDATE admitted SET root = NULL',
  ]) {
    const enforcer = await host.start();
    await enforce(enforcer, v7);
    host.trust = rotated({ onDistrustedLkg: 'baseline' });
    host.reboot();
    const database = new DatabaseSync(join(host.dir, 'enforcer.db'));
    database.exec(change);
    database.close();
    expect(await stateOf(await host.start())).toEqual(['baseline', 'restore/distrusted']);
    host.remove();
    host = newHost();
  }
});

it('L04 the decision under the root of then is on record, and comes out the same again', async () => {
  const enforcer = await bootUnder(rotated());
  const lines = expectOk(await enforcer.records(10)).filter((it) => it.subject === v7.digest);
  expect(lines.map((it) => it.outcome)).toEqual(['accepted', 'refused', 'accepted']);
  for (const { id } of lines) {
    const kept = expectOk(await enforcer.record(id));
    if (kept === null) throw new Error('the record is kept');
    const record = expectOk(parseRecord(kept.record, id));
    const verifier = {
      collect: async (bundle: BundleBytes, trust: TrustPolicy) => collectEvidence(bundle, trust),
      read: async (all: readonly Uint8Array[], trust: TrustPolicy) => collectStatements(all, trust),
    };
    expect(expectOk(await repeatDecision(record, kept.blobs, verifier)).differences).toEqual([]);
  }
});

it('what a timestamp proves is past for good: a clock that goes back behind it admits nothing', async () => {
  host.clock.now = Date.now() - 60_000;
  const enforcer = await host.start();
  await enforce(enforcer, v7);
  // The clock was a minute behind when it was admitted; the authority knew better.
  expect(host.store?.read('timeFloorMs')).toBeGreaterThan(host.clock.now + 30_000);
  host.clock.now -= 3_600_000;
  expect(await codeOf(enforcer)).toBe('host/clock-suspect');
  expect((await stateOf(enforcer))[0]).toBe('bundle');
});
