// The order for a change of the trust policy: the roots in force, the document, its place in the order of
// versions, its own roots, and what it would distrust of what is active. A change that would distrust
// something is refused, with the list, unless it is forced (by root on the host, or by the roots'
// signatures in the document).
//
// Nothing of a signed document is read before enough of the roots in force have signed it.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { Decided, OtherPlace } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { toCheck } from '../core/verify/check-record.ts';
import { judge } from '../core/verify/judge.ts';
import { checkRoots, checkSuccessor, signersOf, wouldDistrust } from '../core/verify/succession.ts';
import type { TrustPolicy, TrustRoots } from '../core/verify/trust.ts';
import type { CheckRecord, VerifyContext } from '../core/verify/verdict.ts';
import type { VerifierPort } from '../ports.ts';
import { parseTrustDocument } from '../wire/signed-trust.ts';

/** Where the next policy comes from. */
export type NextTrust =
  | { readonly kind: 'statements'; readonly statements: readonly Uint8Array[] }
  /** From a file on this host; whether it may come without signatures is decided before. */
  | { readonly kind: 'file'; readonly policy: TrustPolicy };

/** A bundle that is active, with its stored bytes or why there are none. */
export interface ActiveBundle {
  readonly digest: Digest;
  readonly name: string;
  readonly bytes: Result<BundleBytes>;
}

/** What a decision about a trust policy goes by. */
export interface TrustFacts {
  readonly current: TrustPolicy;
  readonly active: readonly ActiveBundle[];
  readonly isForced: boolean;
  readonly context: VerifyContext;
  /** Active bundles that are judged by another place than the one of the context. */
  readonly others?: readonly OtherPlace[];
}

/** A decision about a trust policy; `next` is there when it may be put in force. */
export interface DecidedTrust extends Decided {
  readonly next: TrustPolicy | null;
  readonly distrusted: readonly Digest[];
}

/** The whole decision. */
export async function decideTrust(
  from: NextTrust,
  facts: TrustFacts,
  verifier: VerifierPort,
): Promise<DecidedTrust> {
  const checks: CheckRecord[] = [];
  const next =
    from.kind === 'file'
      ? ok(from.policy)
      : await verifySuccessor(from.statements, facts.current, verifier, checks);
  if (!next.ok) return { checks, failures: [next.error], next: null, distrusted: [] };
  const { fingerprint, version, force } = next.value;
  if (fingerprint === facts.current.fingerprint) {
    return { checks, failures: [], next: next.value, distrusted: [] };
  }
  const { isForced } = facts;
  const judged = await findDistrusted(next.value, facts, verifier);
  for (const { digest, failures } of judged) {
    const check = toCheck('still-admits', { digest }, failures);
    const isWaived = failures.length > 0 && (isForced || force);
    checks.push(isWaived ? { ...check, outcome: 'skipped' } : check);
  }
  const found = judged.filter((it) => it.failures.length > 0);
  const distrusted = found.map((it) => it.digest);
  if (found.length === 0 || isForced || force) {
    return { checks, failures: [], next: next.value, distrusted };
  }
  const causes = found.map(({ name, why }) => `${name}: ${why}`);
  return { checks, failures: [wouldDistrust(version, causes)], next: null, distrusted };
}

async function verifySuccessor(
  statements: readonly Uint8Array[],
  current: TrustPolicy,
  verifier: VerifierPort,
  checks: CheckRecord[],
): Promise<Result<TrustPolicy>> {
  const note = (check: string, inputs: CheckRecord['inputs'], problem: Failure | null) => {
    checks.push(toCheck(check, inputs, problem === null ? [] : [problem]));
    return problem;
  };
  const { roots, revoked, version } = current;
  const given = { statements: statements.length, version };
  if (roots === null) return err(note('roots', given, tellRootless()) ?? tellRootless());
  const before = await verifier.read(statements, current);
  if (!before.ok) return err(note('roots', given, before.error) ?? before.error);
  const said = before.value.flatMap((it) =>
    it.kind === 'signed' && it.claim.kind === 'trust' ? [it.claim.document] : [],
  );
  const [document] = said;
  if (document === undefined) {
    const none = checkRoots(roots, [], revoked.keys, `version ${version}`);
    const codes = before.value.flatMap((it) => (it.kind === 'unusable' ? [it.failure.code] : []));
    const why = { ...(none ?? tellUnsigned('it', current)), causes: codes };
    return err(note('roots', given, why) ?? why);
  }
  const keys = signersOf(before.value, document);
  const asked = { ...given, signers: keys, threshold: roots.threshold };
  const short = note('roots', asked, checkRoots(roots, keys, revoked.keys, `version ${version}`));
  if (short !== null) return err(short);
  const next = parseTrustDocument(new TextEncoder().encode(document));
  note('document', {}, next.ok ? null : next.error);
  if (!next.ok) return next;
  const order = checkSuccessor(current, next.value);
  if (note('order', { from: version, to: next.value.version }, order) !== null && order !== null) {
    return err(order);
  }
  const own = await checkOwnRoots(statements, document, next.value, verifier);
  note('own-roots', { threshold: next.value.roots?.threshold ?? null }, own);
  return own === null ? next : err(own);
}

async function checkOwnRoots(
  statements: readonly Uint8Array[],
  document: string,
  next: TrustPolicy,
  verifier: VerifierPort,
): Promise<Failure | null> {
  const roots: TrustRoots | null = next.roots;
  if (roots === null) {
    const hints = ['roots are changed, never dropped'];
    return failure('trust/unsigned', 'the new trust policy has no roots', { hints });
  }
  const after = await verifier.read(statements, next);
  if (!after.ok) return after.error;
  const keys = signersOf(after.value, document);
  return checkRoots(roots, keys, next.revoked.keys, `version ${next.version}`);
}

/** An active bundle, and why a policy does not admit it; no failures: it does. */
export interface Judged {
  readonly digest: Digest;
  readonly name: string;
  readonly failures: readonly Failure[];
  /** The same for people; '' when it is admitted. */
  readonly why: string;
}

/** Judges what is active by another policy. */
export async function findDistrusted(
  next: TrustPolicy,
  { active, context, others = [] }: Pick<TrustFacts, 'active' | 'context' | 'others'>,
  verifier: VerifierPort,
): Promise<readonly Judged[]> {
  const judged: Judged[] = [];
  for (const it of active) {
    const other = others.find(({ digest }) => digest === it.digest);
    const { repository, channel } = other ?? context;
    const place = { ...context, repository, channel };
    const failures = await whyDistrusted(it, next, place, verifier);
    const why = failures.map(({ code, message }) => `${code}, ${message}`).join('; ');
    judged.push({ digest: it.digest, name: it.name, failures, why });
  }
  return judged;
}

// What cannot be judged any more is told like what is refused: nobody could say that it is trusted.
async function whyDistrusted(
  { bytes }: ActiveBundle,
  next: TrustPolicy,
  context: VerifyContext,
  verifier: VerifierPort,
): Promise<readonly Failure[]> {
  if (!bytes.ok) return [bytes.error];
  const evidence = await verifier.collect(bytes.value, next);
  if (!evidence.ok) return [evidence.error];
  const verdict = judge(evidence.value, next, context);
  return verdict.kind === 'accepted' ? [] : verdict.failures;
}

function tellRootless(): Failure {
  return failure(
    'trust/unsigned',
    'the trust policy in force has no roots that could sign another',
    {
      hints: ['add `roots` to the file on this host, with a higher version'],
    },
  );
}

/** The refusal of a policy that the roots in force have not signed. */
export function tellUnsigned(what: string, trust: TrustPolicy): Failure {
  return failure('trust/unsigned', `${what} is not signed by the roots of the trust policy`, {
    causes: [`version ${trust.version} stays in force`],
    hints: ['sign it with `warder trust sign`, then: warder trust apply'],
  });
}
