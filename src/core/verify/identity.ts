// Whether a certificate is of an identity that the trust policy names. Everything is compared exactly,
// character by character; there are no regular expressions of users, and one wildcard at the end that
// stays inside a path segment (bad inputs I01 to I05, I11).
//
// SPDX-License-Identifier: Apache-2.0

import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { say } from './check.ts';
import type { CertificateFact } from './evidence.ts';
import type { Thresholds, TrustedIdentity } from './trust.ts';

// VERIFY-12: an identity counts when issuer, subject and every extension that it names are the same.
/** The first identity of the list that the certificate is of, or why it is of none. */
export function findIdentity(
  certificate: CertificateFact,
  identities: readonly TrustedIdentity[],
): Result<TrustedIdentity> {
  let nearest: Failure | null = null;
  for (const identity of identities) {
    const problem = compare(certificate, identity);
    if (problem === null) return ok(identity);
    // Who is right in name and wrong in a detail is told the detail.
    if (nearest === null || problem.causes.length > nearest.causes.length) nearest = problem;
  }
  const unknown = failure('verify/identity-required', 'the scope trusts keys only');
  return err(nearest ?? unknown);
}

function compare(it: CertificateFact, wanted: TrustedIdentity): Failure | null {
  if (it.issuer !== wanted.issuer || !matches(wanted.subject, it.subject)) {
    return failure(
      'verify/identity-mismatch',
      `signed by ${say(it.subject)}, which is not trusted for this scope`,
      { causes: [`issued by ${say(it.issuer)}`] },
    );
  }
  const { claims } = it;
  const wrong = [
    ...unlike('repository id', claims.repositoryId, wanted.repositoryId),
    ...unlike('owner id', claims.ownerId, wanted.ownerId),
    ...unlike('workflow', workflowOf(it), wanted.workflow),
  ];
  if (wanted.triggers !== null && !wanted.triggers.includes(claims.trigger ?? '')) {
    wrong.push(`trigger is ${say(claims.trigger ?? 'not set')}`);
  }
  if (wrong.length > 0) {
    const what = `the certificate of ${wanted.id} has other details than the trust policy`;
    return failure('verify/identity-mismatch', what, { causes: [...wrong, say(it.subject)] });
  }
  if (wanted.runner === null || claims.runner === wanted.runner) return null;
  return failure('verify/runner', `${wanted.id} did not sign on a ${wanted.runner} runner`, {
    causes: [`runner is ${say(claims.runner ?? 'not set')}`, say(it.subject)],
  });
}

function unlike(what: string, have: string | null, wanted: string | null): readonly string[] {
  if (wanted === null || have === wanted) return [];
  return [`${what} is ${say(have ?? 'not set')}, not ${wanted}`];
}

/** The path of the workflow file, when the certificate names one in its own repository. */
function workflowOf({ claims }: CertificateFact): string | null {
  const { repository, workflowUri } = claims;
  if (repository === null || workflowUri === null) return null;
  if (!workflowUri.startsWith(`${repository}/`)) return null;
  const end = workflowUri.indexOf('@');
  return end < 0 ? null : workflowUri.slice(repository.length + 1, end);
}

/** Equal, or equal up to one trailing `*` that stands for one or more characters without `/`. */
function matches(pattern: string, subject: string): boolean {
  if (!pattern.endsWith('*')) return pattern === subject;
  const literal = pattern.slice(0, -1);
  const rest = subject.slice(literal.length);
  return subject.startsWith(literal) && rest !== '' && !rest.includes('/');
}

// VERIFY-13: proofs are counted by who gives them: two entries of one log are one.
/** Checks that enough distinct logs and authorities vouch for a certificate. */
export function checkThresholds(it: CertificateFact, wanted: Thresholds): Failure | null {
  const short = (what: string, have: number, need: number) =>
    `${have} distinct ${what}; ${need} demanded`;
  if (it.timestamps < wanted.timestamp) {
    const text = short('timestamp sources', it.timestamps, wanted.timestamp);
    return failure('verify/timestamp-missing', `too little says when it was signed: ${text}`);
  }
  if (it.certificateLogs < wanted.ctlog) {
    const text = short('certificate logs', it.certificateLogs, wanted.ctlog);
    return failure('verify/sct-invalid', `the certificate is in too few logs: ${text}`);
  }
  if (it.logs < wanted.tlog) {
    const text = short('transparency logs', it.logs, wanted.tlog);
    return failure('verify/tlog-invalid', `the signature is in too few logs: ${text}`);
  }
  return null;
}
