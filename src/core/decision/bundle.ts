// The order for a bundle, from collected facts to a decision: what this host is able to judge, the
// content, the attestations, the verdict, and what the enforcer asks besides. Used by the agent, by the
// enforcer, and by who repeats a record.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import { findBaselineViolations } from '../policy/lockout.ts';
import { type Failure, failure, type Result } from '../result.ts';
import { CLOCK_SKEW_MS, checksOf } from '../verify/check.ts';
import { toCheck, toStatementChecks } from '../verify/check-record.ts';
import type { Evidence } from '../verify/evidence.ts';
import { judge, type Stopwatch } from '../verify/judge.ts';
import { selectScope } from '../verify/scope.ts';
import type { TrustPolicy } from '../verify/trust.ts';
import type { CheckRecord, VerifyContext, VerifyVerdict } from '../verify/verdict.ts';
import type { Decided, Privileged } from './record.ts';

/** What a decision about a bundle goes by. */
export interface BundleFacts {
  readonly context: VerifyContext;
  readonly privileged: Privileged | null;
}

/** What collecting answered, and for whom it was done. */
export interface Collected {
  readonly answer: Result<Evidence>;
  readonly digest: Digest;
  /** Of the attestations, in their order. */
  readonly attestations: readonly Digest[];
  readonly durationMs?: number;
}

/** A decision about a bundle; `admission` is there when it was accepted. */
export interface DecidedBundle extends Decided {
  readonly admission: Admission | null;
  /** The latest time that logs and authorities of its certificates prove; 0 without one. */
  readonly provenMs: number;
}

/** Whether this host can judge at all; the first failure ends it before anything is read. */
export function decideAble({ context, privileged }: BundleFacts): Decided {
  if (privileged === null) return { checks: [], failures: [] };
  const lost = privileged.isLost ? [lostState()] : [];
  const late = lost.length > 0 ? null : checkClockAt(context.nowMs, privileged.timeFloorMs);
  const now = new Date(context.nowMs).toISOString();
  const timeFloor = new Date(privileged.timeFloorMs).toISOString();
  return {
    checks: [
      toCheck('state', { isLost: privileged.isLost }, lost),
      toCheck('clock', { now, timeFloor }, late),
    ],
    failures: [...lost, ...(late ?? [])],
  };
}

/** The whole decision; a host that is not able to judge collects nothing (null). */
export function decideBundle(
  collected: Collected | null,
  trust: TrustPolicy,
  facts: BundleFacts,
  stopwatch: Stopwatch | null = null,
): DecidedBundle {
  const able = decideAble(facts);
  const asked = checksOf(facts.context, selectScope(trust, facts.context));
  if (able.failures.length > 0 || collected === null) {
    return withRest(able, ['content', ...asked, ...restOf(facts)]);
  }
  const { answer } = collected;
  if (!answer.ok) {
    const content = toContentCheck(collected, [answer.error]);
    const decided = { checks: [...able.checks, content], failures: [answer.error] };
    return withRest(decided, [...asked, ...restOf(facts)]);
  }
  const verdict = judge(answer.value, trust, facts.context, stopwatch);
  return toDecided(able.checks, collected, answer.value, verdict, facts);
}

/** The decision that a verdict came to. */
export function toDecided(
  before: readonly CheckRecord[],
  collected: Omit<Collected, 'answer'>,
  evidence: Evidence,
  verdict: VerifyVerdict,
  facts: BundleFacts,
): DecidedBundle {
  const content = toContentCheck(collected, []);
  const statements = toStatementChecks(evidence.attestations, collected.attestations);
  const checks = [...before, content, ...statements, ...verdict.checks];
  if (verdict.kind === 'refused') {
    return withRest({ checks, failures: verdict.failures }, restOf(facts));
  }
  const { admission } = verdict;
  const provenMs = latestProven(evidence);
  if (facts.privileged === null) return { checks, failures: [], admission, provenMs };
  const survival = findSurvival(admission);
  const hold = survival.length > 0 ? null : findHold(admission, facts.privileged);
  const failures = [...survival, ...(hold ?? [])];
  const held = facts.privileged.hold;
  return {
    checks: [
      ...checks,
      toCheck('survival', { rules: admission.ir.rules.length }, survival),
      toCheck('hold', { hold: held === null ? null : { ...held } }, hold),
    ],
    failures,
    admission: failures.length === 0 ? admission : null,
    provenMs,
  };
}

function latestProven({ attestations }: Evidence): number {
  const times = attestations.map((it) =>
    it.kind === 'signed' ? (it.certificate?.provenMs ?? 0) : 0,
  );
  return Math.max(0, ...times);
}

const restOf = ({ privileged }: BundleFacts) => (privileged === null ? [] : ['survival', 'hold']);

function withRest(decided: Decided, rest: readonly string[]): DecidedBundle {
  const checks = [...decided.checks, ...rest.map((it) => toCheck(it, {}, null))];
  return { checks, failures: decided.failures, admission: null, provenMs: 0 };
}

function toContentCheck(
  collected: Omit<Collected, 'answer'>,
  failures: readonly Failure[],
): CheckRecord {
  const { digest, attestations, durationMs } = collected;
  const inputs = { digest, attestations: attestations.length };
  return toCheck('content', inputs, failures, durationMs);
}

function lostState(): Failure {
  return failure('state/lost', 'the version floor was lost; nothing new is admitted', {
    hints: ['make sure that no older bundle is offered, then run: warder resume'],
  });
}

/** Refuses a clock that is behind the time floor by more than a correction may be. */
export function checkClockAt(nowMs: number, timeFloorMs: number): readonly Failure[] {
  if (nowMs + CLOCK_SKEW_MS >= timeFloorMs) return [];
  return [
    failure('host/clock-suspect', 'the clock went back; validity times cannot be judged', {
      causes: [`it was already ${new Date(timeFloorMs).toISOString()}`],
      hints: ['correct the clock of this host'],
    }),
  ];
}

// Before the floor rises: a bundle that is refused here was never a candidate.
function findSurvival({ digest, ir }: Admission): readonly Failure[] {
  const violations = findBaselineViolations(ir.rules);
  if (violations.length === 0) return [];
  return [
    failure('activate/baseline-violation', `${digest} would lock this host out`, {
      causes: violations,
      hints: ['`warder lint` names the rules and what to exempt'],
    }),
  ];
}

// A digest that was rolled away from stays out until something newer comes.
function findHold({ digest, descriptor }: Admission, facts: Privileged): readonly Failure[] {
  const { hold, lastKnownGood } = facts;
  if (hold === null || descriptor.version > hold.version || digest === lastKnownGood) return [];
  return [
    failure('activate/held', `version ${hold.version} was rolled away from by ${hold.by}`, {
      causes: [hold.reason],
      hints: ['publish a higher version, or run: warder resume'],
    }),
  ];
}
