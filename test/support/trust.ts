// Signed trust policies: roots that sign, and the statements as they travel.
//
// SPDX-License-Identifier: Apache-2.0

import type { TrustPolicy, TrustRoots } from '../../src/core/verify/trust.ts';
import {
  encodeTrustDocument,
  encodeTrustStatement,
  parseTrustDocument,
} from '../../src/wire/signed-trust.ts';
import { expectOk } from './enforcer.ts';
import { encodeJson, signBundle, type TestSigner } from './signed-bundle.ts';

/** Roots of these signers. */
export function rootsOf(threshold: number, ...signers: readonly TestSigner[]): TrustRoots {
  const keys = signers.map(({ publicKeyPem, fingerprint }) => ({
    id: `root-${fingerprint.slice(7, 13)}`,
    publicKeyPem,
    fingerprint,
  }));
  return { threshold, keys };
}

/** The policy as it is after it was written and read: with its true fingerprint. */
export function sealed(policy: TrustPolicy): TrustPolicy {
  return expectOk(parseTrustDocument(encodeTrustDocument(policy)));
}

/** The policy, signed by each of these. */
export async function signTrust(
  policy: TrustPolicy,
  ...by: readonly TestSigner[]
): Promise<readonly Uint8Array[]> {
  const statement = encodeTrustStatement(encodeTrustDocument(policy));
  return Promise.all(by.map(async (it) => encodeJson(await signBundle(statement, it))));
}
