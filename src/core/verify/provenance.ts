// Provenance: a trusted key says that a trusted builder built this bundle, in a known way, from the
// commit that the descriptor names, of a repository that the scope allows. Strings are compared
// exactly: a builder whose name begins like a trusted one is another builder (bad input P06).
//
// SPDX-License-Identifier: Apache-2.0

import { type BundleDescriptor, PREDICATE } from '../bundle.ts';
import type { Provenance } from '../provenance.ts';
import { type Failure, failure } from '../result.ts';
import { type CheckAnswer, passed, refused, say } from './check.ts';
import type { CertificateClaims, Evidence, SignedFact } from './evidence.ts';
import { wrongTypes } from './release.ts';
import { type Court, checkSigned } from './signed.ts';
import type { ScopePolicy } from './trust.ts';
import { tellUnread } from './unread.ts';

type Demand = NonNullable<ScopePolicy['provenance']>;

// VERIFY-7: one statement must fulfil every demand; two halves are not one whole.
/** Checks that one provenance statement fulfils what the scope demands. */
export function checkProvenance(evidence: Evidence, court: Court): CheckAnswer {
  const demand = court.scope.provenance;
  if (demand === null) return passed('not demanded by the trust policy');
  const skipped: Failure[] = [];
  const others: string[] = [];
  for (const fact of evidence.attestations) {
    if (fact.kind === 'unusable') {
      skipped.push(fact.failure);
    } else if (fact.predicateType !== PREDICATE.provenance) {
      if (!isAskedFor(fact, court.scope)) others.push(fact.predicateType);
    } else {
      const problems = judgeProvenance(fact, evidence.descriptor, demand, court);
      if (problems.length === 0) return passed(tell(evidence.descriptor, fact));
      skipped.push(...problems);
    }
  }
  if (others.length > 0) skipped.push(wrongTypes('provenance', [PREDICATE.provenance], others));
  const missing = failure('verify/provenance-missing', 'no provenance fulfils the trust policy');
  const [first, ...rest] = [...tellUnread(evidence.unread), ...skipped, missing];
  return refused(first ?? missing, ...rest);
}

/** True for a statement that another check looks at: that it is there is no reason of this one. */
function isAskedFor(
  { predicateType }: SignedFact,
  { release, verification }: ScopePolicy,
): boolean {
  const types = [...release.predicateTypes, ...(verification?.predicateTypes ?? [])];
  return types.includes(predicateType);
}

function judgeProvenance(
  fact: SignedFact,
  descriptor: BundleDescriptor,
  demand: Demand,
  court: Court,
): readonly Failure[] {
  const keys = checkSigned(fact, court);
  if (!keys.ok) return [keys.error];
  if (fact.claim.kind === 'malformed') return [fact.claim.failure];
  if (fact.claim.kind !== 'provenance') {
    return [failure('verify/predicate-type', 'the statement is no provenance')];
  }
  const { provenance } = fact.claim;
  const found = [...compare(provenance, descriptor, demand)];
  const { signers } = demand;
  const { release } = court.scope;
  if (signers !== null && !keys.value.some((it) => signers.includes(it.id))) {
    const who = keys.value.map((it) => it.id).join(', ');
    found.push(failure('verify/builder-mismatch', `${who} may not speak for the builder`));
  }
  if (fact.certificate !== undefined) {
    found.push(...compareClaims(provenance, fact.certificate.claims));
  } else if (signers === null && isRunner(provenance) && release.identities.length > 0) {
    const who = keys.value.map((it) => it.id).join(', ');
    const text = `${who} has no certificate that would say which runner built it`;
    found.push(failure('verify/builder-mismatch', text));
  }
  return found;
}

/** Whether several may sign the release of a scope, and nothing says who of them speaks for the builders. */
export function isUnbound({ release, provenance }: ScopePolicy): boolean {
  if (provenance === null || provenance.signers !== null) return false;
  return release.anyOf.length + release.identities.length > 1;
}

const RUNNERS = 'https://github.com/actions/runner/';
const isRunner = ({ builderId }: Provenance) => builderId.startsWith(RUNNERS);

// VERIFY-14: what the certificate says of the build was established by the issuer, what the predicate
// says by the build itself; where both speak they must say the same (bad inputs P06, P08).
function compareClaims(provenance: Provenance, claims: CertificateClaims): readonly Failure[] {
  const found: Failure[] = [];
  const same = (what: string, said: string | null, proven: string | null) => {
    if (said === null || proven === null || said === proven) return;
    const causes = [`the certificate says ${say(proven)}`];
    const text = `the ${what} is ${say(said)} in the provenance`;
    found.push(failure('verify/provenance-inconsistent', text, { causes }));
  };
  same('source repository', provenance.repository, claims.repository);
  same('source ref', provenance.ref, claims.ref);
  same('source commit', provenance.commit, claims.commit);
  same('repository id', provenance.repositoryId, claims.repositoryId);
  same('owner id', provenance.ownerId, claims.ownerId);
  same('trigger', provenance.trigger, claims.trigger);
  if (provenance.workflow !== null) {
    const uri = `${provenance.repository}/${provenance.workflow}@${provenance.ref}`;
    same('workflow', uri, claims.workflowUri);
  }
  const { builderId } = provenance;
  if (isRunner(provenance) && builderId !== `${RUNNERS}${claims.runner ?? ''}`) {
    const causes = [`the certificate says ${say(claims.runner ?? 'nothing')}`];
    const text = `the builder ${say(builderId)} is not the runner that signed`;
    found.push(failure('verify/builder-mismatch', text, { causes }));
  }
  return found;
}

function compare(
  provenance: Provenance,
  descriptor: BundleDescriptor,
  demand: Demand,
): readonly Failure[] {
  const found: Failure[] = [];
  if (!demand.builderIds.includes(provenance.builderId)) {
    const text = `the builder ${say(provenance.builderId)} is not trusted`;
    found.push(failure('verify/builder-mismatch', text));
  }
  if (!demand.buildTypes.includes(provenance.buildType)) {
    const text = `the build type ${say(provenance.buildType)} is not known`;
    found.push(failure('verify/build-type', text));
  }
  if (!demand.sourceRepositories.includes(provenance.repository)) {
    const text = `the source ${say(provenance.repository)} is not allowed`;
    found.push(failure('verify/provenance-inconsistent', text));
  }
  for (const field of ['repository', 'ref', 'commit'] as const) {
    if (provenance[field] === descriptor.source[field]) continue;
    const text = `the source ${field} is ${say(provenance[field])} in the provenance`;
    found.push(
      failure('verify/provenance-inconsistent', text, {
        causes: [`the descriptor says ${say(descriptor.source[field])}`],
      }),
    );
  }
  return found;
}

function tell(descriptor: BundleDescriptor, fact: SignedFact): string {
  const builder = fact.claim.kind === 'provenance' ? fact.claim.provenance.builderId : '';
  const { repository, ref, commit } = descriptor.source;
  return `${say(builder)} built ${say(commit)} of ${say(repository)} (${say(ref)})`;
}
