// The verdict over a channel head. Order first: a head never goes back, neither in sequence nor in
// version, and two heads that differ never share one. Then age. A head that is refused changes nothing.
//
// Comparisons are written so that a time that does not parse (NaN) refuses.
//
// SPDX-License-Identifier: Apache-2.0

import type { Signer } from '../bundle.ts';
import { shortDigest } from '../digest.ts';
import { type ChannelHead, isFresh } from '../head.ts';
import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { CLOCK_SKEW_MS, checkStep, say } from './check.ts';
import { toCheck } from './check-record.ts';
import type { AttestationFact } from './evidence.ts';
import { toPlainHead } from './inputs.ts';
import { sameJson } from './same-json.ts';
import { selectScope } from './scope.ts';
import { checkSigned } from './signed.ts';
import type { ScopePolicy, TrustPolicy } from './trust.ts';
import type { CheckRecord, Floor } from './verdict.ts';

/** What a host knows besides the statements. */
export interface HeadContext {
  readonly nowMs: number;
  readonly repository: string;
  readonly channel: string;
  /** The newest head that was accepted here. */
  readonly last: ChannelHead | null;
  readonly floor: Floor | null;
}

/** A head that may be gone by, and who said so. */
export interface AcceptedHead {
  readonly head: ChannelHead;
  readonly signers: readonly Signer[];
}

/** A scope whose trust policy demands heads. */
export type FreshScope = ScopePolicy & {
  readonly freshness: NonNullable<ScopePolicy['freshness']>;
};

/** The scope that demands a head of this place; null when none is demanded. */
export function demandsHead(
  trust: TrustPolicy,
  place: Pick<HeadContext, 'repository' | 'channel'>,
): FreshScope | null {
  const scope = selectScope(trust, place);
  return scope === null || scope.freshness === null ? null : (scope as FreshScope);
}

/** What became of a head, with every check that led to it. */
export interface HeadVerdict {
  readonly result: Result<AcceptedHead, readonly [Failure, ...Failure[]]>;
  readonly checks: readonly CheckRecord[];
}

/** Judges the statements that were found under a channel's head tag. */
export function judgeHead(
  facts: readonly AttestationFact[],
  trust: TrustPolicy,
  scope: FreshScope,
  context: HeadContext,
): HeadVerdict['result'] {
  return examineHead(facts, trust, scope, context).result;
}

/** The same, with every check. */
export function examineHead(
  facts: readonly AttestationFact[],
  trust: TrustPolicy,
  scope: FreshScope,
  context: HeadContext,
): HeadVerdict {
  const signed = collectSigned(facts, trust, scope, context);
  const head = signed.ok ? signed.value.head : null;
  const { last, floor, repository, channel } = context;
  const said = toPlainHead(head);
  const place = { repository, channel };
  const seen = {
    last: toPlainHead(last),
    floor: floor === null ? null : { highestSeen: floor.highestSeen, digest: floor.digest },
  };
  const now = new Date(context.nowMs).toISOString();
  const problems = head === null ? null : findProblems(head, scope, context);
  const checks = [
    toCheck('signed', { statements: facts.length }, signed.ok ? [] : signed.error),
    toCheck('place', { head: said, ...place }, problems?.place ?? null),
    toCheck('order', { head: said, ...seen }, problems?.order ?? null),
    toCheck('step', { floor: seen.floor, max: scope.maxVersionStep }, problems?.step ?? null),
    toCheck('times', { now, maxAgeMs: scope.freshness.maxAgeMs }, problems?.times ?? null),
  ];
  if (!signed.ok || problems === null) return { result: signed, checks };
  const { place: where, order, step, times } = problems;
  const [first, ...rest] = [...where, ...order, ...step, ...times];
  return { result: first === undefined ? ok(signed.value) : err([first, ...rest]), checks };
}

function findProblems(head: ChannelHead, scope: FreshScope, context: HeadContext) {
  return {
    place: checkPlace(head, context),
    order: checkOrder(head, context),
    step: checkStep(head.version, context.floor, scope),
    times: checkTimes(head, scope, context),
  };
}

// HEAD-1: one signer that the scope lists for heads is enough, and a statement that does not count is
// skipped. Of several the highest sequence counts; two that share it and differ are equivocation.
function collectSigned(
  facts: readonly AttestationFact[],
  trust: TrustPolicy,
  scope: FreshScope,
  context: HeadContext,
): Result<AcceptedHead, readonly [Failure, ...Failure[]]> {
  const { anyOf, identities } = scope.freshness;
  const asked = { ...scope, release: { ...scope.release, anyOf, identities } };
  const skipped: Failure[] = [];
  let best: AcceptedHead | null = null;
  for (const fact of facts) {
    const said = readHead(fact);
    if (!said.ok) {
      skipped.push(said.error);
      continue;
    }
    const { head, signed } = said.value;
    const court = { digest: head.digest, scope: asked, trust, context: toMoment(context) };
    const signers = checkSigned(signed, court);
    if (!signers.ok) skipped.push(signers.error);
    else if (best === null || head.sequence > best.head.sequence) {
      best = { head, signers: signers.value };
    } else if (head.sequence === best.head.sequence && !sameJson(head, best.head)) {
      return err([equivocation(`two heads have the sequence ${head.sequence}`, head, best.head)]);
    }
  }
  if (best !== null) return ok(best);
  const none = failure('verify/head-invalid', 'nobody who may has signed the head');
  const [first, ...rest] = [...skipped, none];
  return err([first ?? none, ...rest]);
}

function readHead(fact: AttestationFact) {
  if (fact.kind === 'unusable') return err(fact.failure);
  if (fact.claim.kind === 'malformed') return err(fact.claim.failure);
  if (fact.claim.kind === 'head') return ok({ head: fact.claim.head, signed: fact });
  const what = `${say(fact.predicateType)} is no channel head`;
  return err(failure('verify/predicate-type', what));
}

const toMoment = ({ nowMs }: HeadContext) => ({ nowMs, purpose: 'admit' }) as const;

// HEAD-2: a head is of this repository and channel.
function checkPlace(head: ChannelHead, { repository, channel }: HeadContext): readonly Failure[] {
  const wrong: Failure[] = [];
  const compare = (what: string, found: string, wanted: string) => {
    if (found === wanted) return;
    const text = `the head's ${what} is ${say(found)}, not ${say(wanted)}`;
    wrong.push(failure('verify/scope-mismatch', text));
  };
  compare('repository', head.repository, repository);
  compare('channel', head.channel, channel);
  return wrong;
}

// HEAD-3: neither sequence nor version goes back, and neither names two things.
function checkOrder(head: ChannelHead, { last, floor }: HeadContext): readonly Failure[] {
  if (last !== null && head.sequence < last.sequence) {
    const text = `the head has sequence ${head.sequence}; ${last.sequence} was seen before`;
    return [failure('verify/rollback', text)];
  }
  if (last !== null && head.sequence === last.sequence && !sameJson(head, last)) {
    return [equivocation(`the sequence ${head.sequence} was seen with other content`, head, last)];
  }
  const known = [
    ...(last === null ? [] : [{ version: last.version, digest: last.digest }]),
    ...(floor === null ? [] : [{ version: floor.highestSeen, digest: floor.digest }]),
  ];
  for (const it of known) {
    if (head.version < it.version) {
      const text = `the head names v${head.version}; v${it.version} was seen before`;
      return [failure('verify/rollback', text)];
    }
    if (head.version === it.version && head.digest !== it.digest) {
      return [equivocation(`v${head.version} was seen with another digest`, head, it)];
    }
  }
  return [];
}

function equivocation(text: string, ...two: readonly { readonly digest: string }[]): Failure {
  const causes = two.map((it) => shortDigest(it.digest as ChannelHead['digest']));
  return failure('verify/equivocation', text, { causes: [`they name ${causes.join(' and ')}`] });
}

// HEAD-4: not from the future, and not older than the scope's maxAge by this host's own clock.
function checkTimes(
  head: ChannelHead,
  { freshness }: FreshScope,
  { nowMs }: HeadContext,
): readonly Failure[] {
  const issuedMs = Date.parse(head.issuedAt);
  if (!(issuedMs <= nowMs + CLOCK_SKEW_MS) || head.sequence > Math.floor(issuedMs / 1000)) {
    const text = `the head was issued ${head.issuedAt}, with sequence ${head.sequence}`;
    return [failure('verify/not-yet-valid', text, { hints: ['compare the clocks'] })];
  }
  return isFresh(head, freshness.maxAgeMs, nowMs) ? [] : [staleHead(head, freshness.maxAgeMs)];
}

/** The refusal of a head that is too old to go by. */
export function staleHead(head: ChannelHead, maxAgeMs: number): Failure {
  const hours = Math.round(maxAgeMs / 360_000) / 10;
  const text = `the channel head is of ${head.issuedAt}: nothing new is admitted by it`;
  return failure('verify/stale-head', text, {
    causes: [`it may be ${hours} h old, and expires ${head.expires}`],
    hints: [
      'see whether the schedule that runs `warder head` works, and whether a mirror hides it',
    ],
  });
}
