// The verdict of somebody else: where the scope asks for one, a verifier that it names has verified this
// bundle, for this place, to these levels, and not long ago. Who may sign for the verifier is a list of its
// own: a verdict of those who release would say no more than the release.
//
// SPDX-License-Identifier: Apache-2.0

import { type Failure, failure } from '../result.ts';
import { includesLevel, resourcesOf, type VerificationSummary } from '../summary.ts';
import { type CheckAnswer, CLOCK_SKEW_MS, passed, refused, say } from './check.ts';
import type { Evidence, SignedFact } from './evidence.ts';
import { type Court, checkSigned } from './signed.ts';
import type { ScopePolicy } from './trust.ts';
import { tellUnread } from './unread.ts';

type Demand = NonNullable<ScopePolicy['verification']>;

// VERIFY-20: one summary must fulfil every demand; two halves are not one whole, and one that does not
// count spoils none that does.
/** Checks that one verification summary fulfils what the scope demands of this place. */
export function checkVerification(
  evidence: Evidence,
  court: Court,
  repository: string,
): CheckAnswer {
  const demand = court.scope.verification;
  if (demand === null) return passed('not demanded by the trust policy');
  const { anyOf, identities } = demand;
  const scope = { ...court.scope, release: { ...court.scope.release, anyOf, identities } };
  const resources = resourcesOf(repository, evidence.digest);
  const rejected: Failure[] = [];
  const skipped: Failure[] = [];
  for (const fact of evidence.attestations) {
    if (fact.kind === 'unusable') skipped.push(fact.failure);
    else if (demand.predicateTypes.includes(fact.predicateType)) {
      const problem = judgeSummary(fact, demand, { ...court, scope }, resources);
      if (problem === null) return passed(tell(fact));
      rejected.push(problem);
    }
  }
  const missing = missingSummary(demand, evidence.attestations);
  const reasons = rejected.length > 0 ? [...rejected, ...skipped] : [...skipped, missing];
  const [first, ...rest] = [...tellUnread(evidence.unread), ...reasons];
  return refused(first ?? missing, ...rest);
}

function judgeSummary(
  fact: SignedFact,
  demand: Demand,
  court: Court,
  resources: readonly string[],
): Failure | null {
  const signers = checkSigned(fact, court);
  if (!signers.ok) {
    const { code, message, causes } = signers.error;
    if (code === 'verify/subject-mismatch') return signers.error;
    // Verifier and signer are a pair: the right name under a wrong signature is a wrong verifier.
    return reject('is not signed by its verifier', [`${code}: ${message}`, ...causes]);
  }
  if (fact.claim.kind === 'malformed') return fact.claim.failure;
  if (fact.claim.kind !== 'summary') {
    return failure('verify/predicate-type', `${say(fact.predicateType)} is no summary`);
  }
  const { summary } = fact.claim;
  const [first, ...more] = [
    ...compare(summary, demand, resources),
    ...compareTimes(summary, demand, court.context),
  ];
  return first === undefined ? null : reject(first, more);
}

function compare(
  summary: VerificationSummary,
  demand: Demand,
  resources: readonly string[],
): readonly string[] {
  const { verifier, resource, levels } = summary;
  const lacking = demand.levels.filter((it) => !includesLevel(levels, it));
  return [
    ...(summary.passed ? [] : ['says FAILED']),
    ...(verifier === demand.verifier ? [] : [`is of the verifier ${say(verifier)}`]),
    ...(resource === null || resources.includes(resource) ? [] : [`is about ${say(resource)}`]),
    ...(lacking.length === 0 ? [] : [`does not say ${lacking.join(', ')}`]),
  ];
}

// A replay was in its window when it was admitted, like a key. Comparisons are written so that a time that
// does not parse (NaN) refuses.
function compareTimes(
  { verifiedAt }: VerificationSummary,
  { maxAgeMs }: Demand,
  { nowMs, purpose }: Court['context'],
): readonly string[] {
  if (purpose === 'replay') return [];
  const atMs = Date.parse(verifiedAt);
  if (!(atMs <= nowMs + CLOCK_SKEW_MS)) return [`is of the future, ${verifiedAt}`];
  return nowMs - atMs <= maxAgeMs ? [] : [`is of ${verifiedAt}, which is too long ago`];
}

function reject(why: string, causes: readonly string[]): Failure {
  return failure('verify/vsa-rejected', `a verification summary ${why}`, {
    causes,
    hints: ['have the verifier verify this bundle, at this place, and attach what it signs'],
  });
}

function missingSummary(
  { verifier, predicateTypes }: Demand,
  facts: Evidence['attestations'],
): Failure {
  const found = facts.flatMap((it) => (it.kind === 'signed' ? [it.predicateType] : []));
  const named = [...new Set(found)].slice(0, 8).map(say).join(', ');
  return failure('verify/vsa-missing', `no verification summary of ${verifier} is attached`, {
    causes: [`wanted: ${predicateTypes.join(', ')}`, `found: ${named === '' ? 'nothing' : named}`],
  });
}

function tell(fact: SignedFact): string {
  if (fact.claim.kind !== 'summary') return '';
  const { verifier, verifiedAt, levels } = fact.claim.summary;
  return `${say(verifier)} verified it ${verifiedAt}: ${say(levels.join(', '))}`;
}
