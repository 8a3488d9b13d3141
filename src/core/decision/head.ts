// The order for a channel head, from collected facts to a decision.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import { failure, type Result } from '../result.ts';
import { toCheck, toStatementChecks } from '../verify/check-record.ts';
import type { AttestationFact } from '../verify/evidence.ts';
import { type AcceptedHead, demandsHead, examineHead, type HeadContext } from '../verify/head.ts';
import type { TrustPolicy } from '../verify/trust.ts';
import { checkClockAt } from './bundle.ts';
import type { Decided } from './record.ts';

/** What a decision about a head goes by. */
export interface HeadFacts {
  readonly context: HeadContext;
  readonly timeFloorMs: number | null;
}

/** What reading the statements answered. */
export interface ReadStatements {
  readonly answer: Result<readonly AttestationFact[]>;
  readonly digests: readonly Digest[];
  readonly durationMs?: number;
}

/** A decision about a head; `accepted` is there when it was. */
export interface DecidedHead extends Decided {
  readonly accepted: AcceptedHead | null;
}

const CHECKS = ['content', 'signed', 'place', 'order', 'step', 'times'];

/** Whether a head can be judged here at all. */
export function decideHeadAble(trust: TrustPolicy, facts: HeadFacts): Decided {
  const { context, timeFloorMs } = facts;
  const { repository, channel } = context;
  const undemanded =
    demandsHead(trust, context) === null
      ? [failure('verify/head-invalid', 'the trust policy in force demands no head')]
      : [];
  const demand = toCheck('scope-policy', { repository, channel }, undemanded);
  if (timeFloorMs === null) return { checks: [demand], failures: undemanded };
  const late = undemanded.length > 0 ? null : checkClockAt(context.nowMs, timeFloorMs);
  const inputs = {
    now: new Date(context.nowMs).toISOString(),
    timeFloor: new Date(timeFloorMs).toISOString(),
  };
  const failures = [...undemanded, ...(late ?? [])];
  return { checks: [demand, toCheck('clock', inputs, late)], failures };
}

/** The whole decision; a host that cannot judge reads nothing (null). */
export function decideHead(
  read: ReadStatements | null,
  trust: TrustPolicy,
  facts: HeadFacts,
): DecidedHead {
  const able = decideHeadAble(trust, facts);
  const scope = demandsHead(trust, facts.context);
  if (able.failures.length > 0 || read === null || scope === null) {
    const rest = CHECKS.map((it) => toCheck(it, {}, null));
    return { checks: [...able.checks, ...rest], failures: able.failures, accepted: null };
  }
  const { answer, digests, durationMs } = read;
  const inputs = { statements: digests.length };
  if (!answer.ok) {
    const content = toCheck('content', inputs, [answer.error], durationMs);
    const rest = CHECKS.slice(1).map((it) => toCheck(it, {}, null));
    const checks = [...able.checks, content, ...rest];
    return { checks, failures: [answer.error], accepted: null };
  }
  const { result, checks } = examineHead(answer.value, trust, scope, facts.context);
  return {
    checks: [
      ...able.checks,
      toCheck('content', inputs, [], durationMs),
      ...toStatementChecks(answer.value, digests),
      ...checks,
    ],
    failures: result.ok ? [] : result.error,
    accepted: result.ok ? result.value : null,
  };
}
