// Channel heads with real signatures, and a trust policy that demands them.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../../src/core/bundle.ts';
import { type ChannelHead, sequenceAt } from '../../src/core/head.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import { encodeHeadStatement } from '../../src/wire/head.ts';
import { encodeJson, signBundle, type TestSigner, trustIn } from './signed-bundle.ts';
import { makeTrustedKey } from './verify.ts';

export const HOUR_MS = 3_600_000;

const toTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** A head that names a bundle, made at a time. */
export function headOf(
  { digest }: Pick<BundleBytes, 'digest'>,
  version: number,
  atMs: number,
  change: Partial<ChannelHead> = {},
): ChannelHead {
  return {
    repository: 'registry.example.com/policies/web',
    channel: 'prod',
    version: version as BundleVersion,
    digest,
    sequence: sequenceAt(atMs),
    issuedAt: toTime(atMs),
    expires: toTime(atMs + 48 * HOUR_MS),
    ...change,
  };
}

/** What a registry has under the head tag: the head, signed. */
export async function signHead(
  head: ChannelHead,
  ...by: readonly TestSigner[]
): Promise<readonly Uint8Array[]> {
  const payload = encodeHeadStatement(head);
  return Promise.all(by.map(async (it) => encodeJson(await signBundle(payload, it))));
}

/** Admits what `release` signs, and demands a head at most a day old by `clockwork`. */
export function trustWithHeads(
  release: TestSigner,
  clockwork: TestSigner,
  change: Partial<TrustPolicy> = {},
): TrustPolicy {
  const trust = trustIn(release);
  const anyOf = [makeTrustedKey('clockwork', clockwork.fingerprint, clockwork.publicKeyPem)];
  const freshness = { maxAgeMs: 24 * HOUR_MS, anyOf, identities: [] };
  const policies = trust.policies.map((it) => ({ ...it, freshness, maxVersionStep: 100 }));
  return { ...trust, policies, ...change };
}
