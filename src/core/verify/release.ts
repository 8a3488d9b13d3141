// The release: enough distinct trusted keys say the same about this bundle as its descriptor does.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor, Signer } from '../bundle.ts';
import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { type CheckAnswer, passed, refused, say } from './check.ts';
import type { Evidence, SignedFact } from './evidence.ts';
import { sameJson } from './same-json.ts';
import { type Court, checkSigned } from './signed.ts';
import { tellUnread } from './unread.ts';

/** The answer with the signers that counted, in the order of the trust policy. */
export interface ReleaseAnswer {
  readonly answer: CheckAnswer;
  readonly signers: readonly Signer[];
}

// VERIFY-5: release statements are counted by distinct entry of the trust policy, never by statement, and
// an id names one key or one identity: who signs twice counts once (bad input I10). Who is in `allOf` counts
// too, and nobody stands in for them.
/** Checks that the release is signed as the scope demands. */
export function checkRelease(evidence: Evidence, court: Court): ReleaseAnswer {
  const counted = new Map<string, Signer>();
  const skipped: Failure[] = [];
  const others: string[] = [];
  for (const fact of evidence.attestations) {
    if (fact.kind === 'unusable') {
      skipped.push(fact.failure);
    } else if (!court.scope.release.predicateTypes.includes(fact.predicateType)) {
      others.push(fact.predicateType);
    } else {
      const keys = judgeRelease(fact, evidence.descriptor, court);
      if (keys.ok) for (const one of keys.value) counted.set(one.id, one);
      else skipped.push(keys.error);
    }
  }
  const { minimumMatches, allOf, anyOf, identities } = court.scope.release;
  const signers = [...anyOf, ...identities].flatMap(({ id }) => counted.get(id) ?? []);
  const tally = `${signers.length} of ${minimumMatches} demanded`;
  const lacking = allOf.filter((id) => !counted.has(id));
  if (signers.length >= minimumMatches && lacking.length === 0) {
    const by = signers.map((it) => it.id).join(', ');
    return { answer: passed(`signed by ${by} (${tally})`), signers };
  }
  if (evidence.attestations.length === 0 && evidence.unread.length === 0) {
    return { answer: refused(failure('verify/no-attestations', 'nothing is attached')), signers };
  }
  const reasons = [...skipped];
  if (evidence.attestations.length > 0 && signers.length === 0 && skipped.length === 0) {
    reasons.push(wrongTypes('release', court.scope.release.predicateTypes, others));
  }
  const short =
    signers.length < minimumMatches
      ? failure('verify/threshold-not-met', `too few trusted keys signed: ${tally}`)
      : failure('verify/threshold-not-met', `not signed by ${lacking.join(', ')}, who must`);
  const [first, ...rest] = [...tellUnread(evidence.unread), ...reasons, short];
  return { answer: refused(first ?? short, ...rest), signers };
}

function judgeRelease(
  fact: SignedFact,
  descriptor: BundleDescriptor,
  court: Court,
): Result<readonly Signer[]> {
  const keys = checkSigned(fact, court);
  if (!keys.ok) return keys;
  if (fact.claim.kind === 'malformed') return err(fact.claim.failure);
  // VERIFY-6: a bare statement (cosign sign) binds the digest and so the descriptor; it repeats nothing.
  if (fact.claim.kind === 'bare') return keys;
  if (fact.claim.kind !== 'release') {
    return err(failure('verify/predicate-type', `${say(fact.predicateType)} is no release`));
  }
  const claimed = fact.claim.descriptor;
  const fields = Object.keys(descriptor) as (keyof BundleDescriptor)[];
  const different = fields.filter((it) => !sameJson(claimed[it], descriptor[it]));
  if (different.length === 0 && sameJson(claimed, descriptor)) return ok(keys.value);
  return err(
    failure('verify/release-mismatch', 'the release statement differs from the descriptor', {
      causes: [`fields: ${different.join(', ')}`],
    }),
  );
}

/** Says that what is there is not of the type that is needed. */
export function wrongTypes(
  what: string,
  wanted: readonly string[],
  found: readonly string[],
): Failure {
  return failure('verify/predicate-type', `no statement of a ${what} type is attached`, {
    causes: [
      `wanted: ${wanted.join(', ')}`,
      `found: ${[...new Set(found)].slice(0, 8).map(say).join(', ')}`,
    ],
  });
}
