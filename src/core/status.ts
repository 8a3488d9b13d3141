// What the agent says of itself after every poll, for `warder status`, metrics and people. A function
// of facts: the last answer of the enforcer, what the disk holds, and the outcome of the poll.
//
// Process liveness is no condition here, and no condition feeds back into a decision.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from './digest.ts';
import type { BundleSummary, Enforced, EnforcerStatus, EventTotals, Hold } from './enforcement.ts';
import type { ErrorCode } from './errors.ts';
import { type HeadStatus, isFresh } from './head.ts';
import type { QuarantineEntry, StoreContents } from './machine/contents.ts';
import type { Failure } from './result.ts';
import type { Floor } from './verify/verdict.ts';
import type { BundleVersion } from './version.ts';

/** How a poll ended. Stages are those of ARCHITECTURE.md. */
export interface Outcome {
  readonly kind:
    | 'unchanged' // what is offered is enforced
    | 'activated' // a new bundle is enforced, confirmed and recorded
    | 'readmitted' // what is enforced was verified again, under another trust policy
    | 'held' // what is offered was rolled away from
    | 'quarantined' // what is offered failed before and is not tried yet
    | 'stale' // the channel head is too old to go by; nothing new is admitted
    | 'refused' // what is offered was not admitted, or the enforcer did not take it
    | 'restored' // it failed in force; the last-known-good is back
    | 'failed'; // the poll could not be completed
  readonly stage: Stage;
  /** Null when nothing was discovered. */
  readonly digest: Digest | null;
  readonly version: BundleVersion | null;
  /** All reasons; empty when nothing went wrong. */
  readonly failures: readonly Failure[];
  readonly atMs: number;
  readonly durationMs: number;
}

export type Stage =
  | 'resolve'
  | 'fetch'
  | 'verify'
  | 'stage'
  | 'activate'
  | 'confirm'
  | 'record'
  | 'restore';

export const CONDITIONS = [
  'Ready',
  'Reconciling',
  'Stalled',
  'FetchFailed',
  'SourceVerified',
  'Stale',
  'Degraded',
  'Quarantined',
  'TrustOutdated',
] as const;

export interface Condition {
  readonly type: (typeof CONDITIONS)[number];
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word, for programs. */
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** The document in status.json. Times are ISO 8601 in UTC. */
export interface AgentStatus {
  readonly apiVersion: 'warder.dev/status/v1';
  readonly agentVersion: string;
  readonly reference: string;
  readonly at: string;
  readonly conditions: readonly Condition[];
  /** Null until the enforcer answered once. */
  readonly enforced: Enforced | null;
  readonly events: EventTotals | null;
  readonly lastKnownGood: BundleSummary | null;
  readonly hold: Hold | null;
  readonly floor: Floor | null;
  /** Null where the trust policy demands no head. */
  readonly head: HeadStatus | null;
  readonly lastRequestAt: string | null;
  readonly lastSuccessfulRequestAt: string | null;
  readonly lastSuccessfulVerificationAt: string | null;
  readonly lastSuccessfulActivationAt: string | null;
  readonly lastOutcome: Outcome | null;
  readonly lastRefusal: Refusal | null;
  readonly quarantine: readonly QuarantineEntry[];
  readonly nextPollAt: string | null;
  /** The reference and its mirrors; absent where there are none. */
  readonly places?: readonly PlaceReport[];
}

/** What came of a place when it was asked last. */
export interface PlaceReport {
  /** A repository without tag. */
  readonly place: string;
  /** `refused`: it answered, and what it offered was not admitted. */
  readonly state: 'unasked' | 'answered' | 'failed' | 'refused';
  readonly code: ErrorCode | null;
  readonly at: string | null;
}

/** The last bundle that was not admitted or did not stay, with every reason. */
export interface Refusal {
  readonly digest: Digest;
  readonly version: BundleVersion | null;
  readonly stage: Stage;
  readonly at: string;
  readonly failures: readonly Failure[];
}

/** What the next status is made from. */
export interface StatusFacts {
  readonly atMs: number;
  readonly nextPollMs: number | null;
  readonly outcome: Outcome | null;
  readonly reconciling: boolean;
  /** Null when it did not answer. */
  readonly enforcer: EnforcerStatus | null;
  readonly store: StoreContents | null;
  readonly trustFingerprint: Digest;
}

/** The status before anything is known. */
export function initialStatus(agentVersion: string, reference: string, atMs: number): AgentStatus {
  const at = toIso(atMs);
  return {
    apiVersion: 'warder.dev/status/v1',
    agentVersion,
    reference,
    at,
    conditions: CONDITIONS.map((type) => ({
      type,
      status: 'Unknown',
      reason: 'Starting',
      message: '',
      lastTransitionTime: at,
    })),
    enforced: null,
    events: null,
    lastKnownGood: null,
    hold: null,
    floor: null,
    head: null,
    lastRequestAt: null,
    lastSuccessfulRequestAt: null,
    lastSuccessfulVerificationAt: null,
    lastSuccessfulActivationAt: null,
    lastOutcome: null,
    lastRefusal: null,
    quarantine: [],
    nextPollAt: null,
  };
}

/** The status after one more outcome, or after a change without one. */
export function nextStatus(before: AgentStatus, facts: StatusFacts): AgentStatus {
  const at = toIso(facts.atMs);
  const outcome = facts.outcome;
  const enforced = facts.enforcer?.enforced ?? before.enforced;
  return {
    ...before,
    at,
    conditions: toConditions(before, facts, enforced, at),
    enforced,
    events: facts.enforcer?.totals ?? before.events,
    lastKnownGood: facts.enforcer === null ? before.lastKnownGood : facts.enforcer.lastKnownGood,
    hold: facts.enforcer === null ? before.hold : facts.enforcer.hold,
    floor: facts.store?.floor ?? before.floor,
    head: facts.enforcer === null ? before.head : facts.enforcer.head,
    ...(outcome === null ? {} : toTimes(before, outcome, at)),
    lastOutcome: outcome ?? before.lastOutcome,
    lastRefusal: toRefusal(outcome, at) ?? before.lastRefusal,
    quarantine: facts.store?.quarantine ?? before.quarantine,
    nextPollAt: facts.nextPollMs === null ? null : toIso(facts.nextPollMs),
  };
}

/** ISO 8601 in UTC; without a clock, so pure. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}

function toTimes(before: AgentStatus, outcome: Outcome, at: string): Partial<AgentStatus> {
  const requested = outcome.digest !== null || outcome.kind === 'stale';
  const verified = VERIFIED.includes(outcome.kind) || PAST_VERIFY.includes(outcome.stage);
  return {
    lastRequestAt: at,
    lastSuccessfulRequestAt: requested ? at : before.lastSuccessfulRequestAt,
    lastSuccessfulVerificationAt: verified ? at : before.lastSuccessfulVerificationAt,
    lastSuccessfulActivationAt:
      outcome.kind === 'activated' ? at : before.lastSuccessfulActivationAt,
  };
}

const VERIFIED: readonly Outcome['kind'][] = ['activated', 'readmitted'];
const PAST_VERIFY: readonly Stage[] = ['activate', 'confirm', 'record', 'restore'];

function toRefusal(outcome: Outcome | null, at: string): Refusal | null {
  if (outcome === null || outcome.digest === null) return null;
  if (outcome.kind !== 'refused' && outcome.kind !== 'restored') return null;
  const { digest, version, stage, failures } = outcome;
  return { digest, version, stage, at, failures };
}

type Finding = Pick<Condition, 'status' | 'reason' | 'message'>;

function toConditions(
  before: AgentStatus,
  facts: StatusFacts,
  enforced: Enforced | null,
  at: string,
): Condition[] {
  const findings: Record<Condition['type'], Finding | null> = {
    Ready: toReady(facts, enforced),
    Reconciling: facts.reconciling ? yes('Progressing') : no('Idle'),
    ...fromOutcome(facts),
    Stale: toStale(facts, facts.enforcer === null ? before.head : facts.enforcer.head, enforced),
    Quarantined: toQuarantined(facts),
    TrustOutdated: toTrustOutdated(facts),
  };
  return before.conditions.map((condition) => {
    const finding = findings[condition.type];
    // Nothing new was learnt: what was said stays said.
    if (finding === null) return condition;
    const changed = finding.status !== condition.status;
    const since = changed ? at : condition.lastTransitionTime;
    return { type: condition.type, ...finding, lastTransitionTime: since };
  });
}

function toReady(facts: StatusFacts, enforced: Enforced | null): Finding {
  if (facts.enforcer === null) return unknown('EnforcerUnavailable', 'the enforcer did not answer');
  if (enforced?.kind === 'bundle' && enforced.confirmed) return yes('Enforcing');
  if (enforced?.kind === 'bundle') return no('Unconfirmed', 'a generation waits for its health');
  if (enforced?.kind === 'baseline') return no('Baseline', 'only the baseline is enforced');
  return no('Nothing', 'nothing is enforced');
}

type FromOutcome = 'Stalled' | 'FetchFailed' | 'SourceVerified' | 'Degraded';

function fromOutcome(facts: StatusFacts): Record<FromOutcome, Finding | null> {
  const outcome = facts.outcome;
  if (outcome === null) {
    return { Stalled: null, FetchFailed: null, SourceVerified: null, Degraded: null };
  }
  const first = outcome.failures[0];
  const why = first === undefined ? '' : first.message;
  const code = first?.code ?? 'Unknown';
  const failed = outcome.kind === 'failed';
  const isFetch = failed && (outcome.stage === 'resolve' || outcome.stage === 'fetch');
  return {
    Stalled: outcome.kind === 'held' ? yes('Held', why) : no('Moving'),
    FetchFailed: isFetch ? yes(code, why) : no('Fetched'),
    SourceVerified: toSourceVerified(outcome, code, why),
    Degraded:
      (failed && !isFetch) || outcome.kind === 'restored' ? yes(code, why) : toRepaired(facts),
  };
}

function toSourceVerified(outcome: Outcome, code: string, why: string): Finding | null {
  const refused = outcome.kind === 'refused' || outcome.kind === 'stale';
  if (refused && outcome.stage === 'verify') return no(code, why);
  if (outcome.kind === 'unchanged' || VERIFIED.includes(outcome.kind)) return yes('Verified');
  return null;
}

const PATH_ALERTS: readonly string[] = ['host/mounts-changed', 'restore/incomplete'];

// Degraded until it is repaired: by the store, or by resolving paths again.
function toRepaired({ store, enforcer }: StatusFacts): Finding {
  const ofPaths = enforcer?.alerts.find(({ code }) => PATH_ALERTS.includes(code));
  const repaired = ofPaths ?? store?.repaired[0];
  return repaired === undefined ? no('Healthy') : yes(repaired.code, repaired.message);
}

// A head may have aged since the enforcer told of it, and while it does not answer.
function toStale(facts: StatusFacts, head: HeadStatus | null, enforced: Enforced | null): Finding {
  if (head !== null && head.last === null) return yes('NoHead', 'the channel has no accepted head');
  if (head?.last != null && !isFresh(head.last, head.maxAgeMs, facts.atMs)) {
    return yes('StaleHead', `the newest channel head is of ${head.last.issuedAt}`);
  }
  if (enforced?.kind !== 'bundle') return no('NothingExpires');
  const expires = enforced.bundle.expires;
  if (facts.atMs <= Date.parse(expires)) return no('Fresh');
  return yes('Expired', `the enforced bundle expired at ${expires}; it stays in force`);
}

function toQuarantined(facts: StatusFacts): Finding {
  const waiting = (facts.store?.quarantine ?? []).filter((it) => it.retryAfterMs > facts.atMs);
  const last = waiting.at(-1);
  if (last === undefined) return no('None');
  return yes(
    last.code,
    `${waiting.length} digests wait; the last until ${toIso(last.retryAfterMs)}`,
  );
}

function toTrustOutdated(facts: StatusFacts): Finding | null {
  if (facts.enforcer === null) return null;
  if (facts.enforcer.trust.fingerprint === facts.trustFingerprint) return no('Same');
  return yes('Differs', 'the agent and the enforcer hold different trust policies');
}

function yes(reason: string, message = ''): Finding {
  return { status: 'True', reason, message };
}

function no(reason: string, message = ''): Finding {
  return { status: 'False', reason, message };
}

function unknown(reason: string, message: string): Finding {
  return { status: 'Unknown', reason, message };
}
