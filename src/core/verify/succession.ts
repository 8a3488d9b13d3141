// Whether one trust policy may follow another: the root rules of TUF (specification 5.3). Version n + 1 is
// signed by a threshold of the roots of n, so that only they can change the roots, and by a threshold of
// its own roots, so that nobody names roots whose keys do not exist.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import { type Failure, failure } from '../result.ts';
import type { AttestationFact } from './evidence.ts';
import type { TrustPolicy, TrustRoots } from './trust.ts';

/** Fingerprints of the keys that signed exactly this document, among the facts. */
export function signersOf(facts: readonly AttestationFact[], document: string): readonly Digest[] {
  const keys = facts.flatMap((it) =>
    it.kind === 'signed' && it.claim.kind === 'trust' && it.claim.document === document
      ? it.keys
      : [],
  );
  return [...new Set(keys)];
}

// ROOT-1: distinct keys are counted, never signatures; a root that the policy in force revokes is none.
/** Why the roots of a policy have not signed; null when enough of them have. */
export function checkRoots(
  roots: TrustRoots,
  keys: readonly Digest[],
  revoked: readonly Digest[],
  whose: string,
): Failure | null {
  const counted = roots.keys.filter(
    ({ fingerprint }) => keys.includes(fingerprint) && !revoked.includes(fingerprint),
  );
  if (counted.length >= roots.threshold) return null;
  const tally = `${counted.length} of ${roots.threshold}`;
  return failure('trust/threshold-not-met', `too few roots of ${whose} signed: ${tally}`, {
    causes: counted.map((it) => `signed by ${it.id}`),
    hints: [`have more of them sign: ${roots.keys.map((it) => it.id).join(', ')}`],
  });
}

// ROOT-2: one version at a time: a host that was away goes through every version between.
/** Why a version may not follow the one in force; null when it may. */
export function checkSuccessor(current: TrustPolicy, next: TrustPolicy): Failure | null {
  if (next.version === current.version + 1) return null;
  const text = `version ${next.version} cannot follow version ${current.version}`;
  const hints =
    next.version > current.version
      ? ['apply the versions between first, in order']
      : ['an older trust policy never comes back; sign its content as a new version'];
  return failure('trust/version-gap', text, { hints });
}

/** The failure that says what a change would distrust. */
export function wouldDistrust(version: number, causes: readonly string[]): Failure {
  const text = `trust policy version ${version} would distrust what is active here`;
  return failure('trust/would-distrust', text, {
    causes,
    hints: ['publish a bundle that both versions admit first; or sign or apply it with --force'],
  });
}
