// A fetched bundle and the keys of the trust policy -> evidence. Synchronous and without effects; it
// runs in a worker (collect.worker.ts), because nothing else can end a parser that does not return.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../../core/bundle.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { AttestationFact, Evidence } from '../../core/verify/evidence.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import { isUnread } from '../../core/verify/unread.ts';
import { makeAnchors } from './anchors.ts';
import { readAttestation } from './attestation.ts';
import { readContent } from './content.ts';

/** Collects the facts about a bundle; it refuses only what is not a bundle at all. */
export function collectEvidence(bundle: BundleBytes, trust: TrustPolicy): Result<Evidence> {
  const anchors = makeAnchors(trust);
  if (!anchors.ok) return anchors;
  const content = readContent(bundle);
  if (!content.ok) return content;
  if (bundle.attestations.length > LIMITS.referrersMax) {
    const count = `${bundle.attestations.length}; at most ${LIMITS.referrersMax}`;
    return err(failure('verify/bundle-too-large', `too many attestations: ${count}`));
  }
  const attestations = bundle.attestations.map((it) => readAttestation(it, anchors.value));
  const unread = (bundle.skipped ?? []).filter(isUnread);
  return ok({ digest: bundle.digest, ...content.value, attestations, unread });
}

/** Reads signed statements that belong to no bundle, such as channel heads. */
export function collectStatements(
  statements: readonly Uint8Array[],
  trust: TrustPolicy,
): Result<readonly AttestationFact[]> {
  const anchors = makeAnchors(trust);
  if (!anchors.ok) return anchors;
  if (statements.length > LIMITS.headStatementsMax) {
    const count = `${statements.length}; at most ${LIMITS.headStatementsMax}`;
    return err(failure('verify/bundle-too-large', `too many statements: ${count}`));
  }
  return ok(statements.map((it) => readAttestation(it, anchors.value)));
}
