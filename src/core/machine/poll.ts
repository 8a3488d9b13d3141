// From a reference to an admitted bundle: resolve, fetch, verify. Nothing here touches the disk or the
// kernel; what is refused here changed nothing.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes, Candidate } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import { LIMITS } from '../limits.ts';
import { type Failure, failure, ok } from '../result.ts';
import { nextStatus } from '../status.ts';
import type { Evidence } from '../verify/evidence.ts';
import { belowFloor } from '../verify/freshness.ts';
import { toOffer } from '../verify/host.ts';
import type { Floor, VerifyContext, VerifyVerdict } from '../verify/verdict.ts';
import { toBundleVersion } from '../version.ts';
import { raise } from './enforce.ts';
import { finish, go, NOTHING, type Subject, storeOf, toOutcome } from './finish.ts';
import { refuse } from './moves.ts';
import { noting } from './note.ts';
import { findQuarantine } from './quarantine.ts';
import type { Event, MachineSetup, State, Step } from './state.ts';

/** Decides whether what was discovered is worth a download. */
export function onDiscovered(
  setup: MachineSetup,
  state: State,
  event: Event,
  candidate: Candidate,
): Step {
  const subject: Subject = { digest: candidate.digest, version: null };
  const hold = state.enforcer?.hold ?? null;
  if (hold?.digest === candidate.digest) {
    return finish(setup, state, event, toOutcome(state, event, 'held', 'resolve', subject));
  }
  if (isAdmittedNow(setup, state, candidate.digest)) {
    return finish(setup, state, event, toOutcome(state, event, 'unchanged', 'resolve', subject));
  }
  const replayed = findReplay(state, candidate.digest);
  if (replayed !== null) return onRefused(setup, state, event, ...replayed);
  const entry = findQuarantine(storeOf(state).quarantine, candidate.digest, event.atMs);
  if (entry !== null) {
    const why = failure(entry.code, `failed ${entry.attempts} times and is not tried yet`);
    const outcome = toOutcome(state, event, 'quarantined', 'resolve', subject, [why]);
    return finish(setup, state, event, outcome);
  }
  const timeoutMs = remainingMs(setup, state, event, LIMITS.fetchTimeoutMs);
  const status = nextStatus(state.status, {
    atMs: event.atMs,
    nextPollMs: null,
    outcome: null,
    reconciling: true,
    enforcer: state.enforcer,
    store: state.store,
    trustFingerprint: setup.trust.fingerprint,
  });
  return go(
    { ...state, status },
    { at: 'fetching', candidate },
    { kind: 'report', status, outcome: null },
    { kind: 'fetch', candidate, timeoutMs },
  );
}

// A digest names its content, so what was verified here once has the version that it had then: a replay
// costs no download. What is enforced is never a replay, whatever the floor is.
function findReplay(
  state: State,
  digest: Digest,
): readonly [Subject & { readonly digest: Digest }, readonly [Failure]] | null {
  if (enforcedDigest(state) === digest) return null;
  const known = storeOf(state).generations.find((it) => it.digest === digest);
  const floor = toFloor(state, digest);
  if (known === undefined || floor === null) return null;
  const { version } = known;
  if (version >= floor.highestSeen) return null;
  return [{ digest, version }, [belowFloor(version, floor.highestSeen)]];
}

// Enforced, confirmed, and verified under the trust policy of today.
function isAdmittedNow(setup: MachineSetup, state: State, digest: Digest): boolean {
  if (enforcedDigest(state) !== digest) return false;
  const generation = storeOf(state).generations.find((it) => it.digest === digest);
  return generation?.trustFingerprint === setup.trust.fingerprint;
}

function enforcedDigest(state: State): Digest | null {
  const enforced = state.enforcer?.enforced;
  return enforced?.kind === 'bundle' && enforced.confirmed ? enforced.bundle.digest : null;
}

/** Has the facts about the fetched bytes collected. */
export function onFetched(
  setup: MachineSetup,
  state: State,
  event: Event,
  candidate: Candidate,
  bundle: BundleBytes,
): Step {
  if (bundle.digest !== candidate.digest) {
    // The adapter hashed it; a second look costs nothing.
    const why = failure('fetch/digest-mismatch', `asked for ${candidate.digest}`, {
      causes: [`got ${bundle.digest}`],
    });
    return onPollFailed(
      setup,
      state,
      event,
      'fetch',
      { ...NOTHING, digest: candidate.digest },
      why,
    );
  }
  const timeoutMs = remainingMs(setup, state, event, LIMITS.verifyTimeoutMs);
  return go(state, { at: 'verifying', bundle }, { kind: 'collect', bundle, timeoutMs });
}

/** Judges the facts; only an accepted bundle goes on. */
export function onCollected(
  setup: MachineSetup,
  state: State,
  event: Event,
  bundle: BundleBytes,
  evidence: Evidence,
): Step {
  const context = toContext(setup, state, event, bundle.digest);
  const verdict = setup.judge(evidence, setup.trust, context);
  const next = onJudged(setup, state, event, bundle, evidence, verdict);
  return noting(
    setup,
    { kind: 'bundle', bundle, judged: ok({ evidence, verdict }), context },
    next,
  );
}

function onJudged(
  setup: MachineSetup,
  state: State,
  event: Event,
  bundle: BundleBytes,
  evidence: Evidence,
  verdict: VerifyVerdict,
): Step {
  if (verdict.kind === 'refused') {
    // Not believed: shown with the refusal, and moves no state.
    const subject = { digest: bundle.digest, version: evidence.descriptor.version };
    return onRefused(setup, state, event, subject, verdict.failures, bundle.from ?? null);
  }
  const { version } = verdict.admission.descriptor;
  const subject = { digest: bundle.digest, version };
  const hold = state.enforcer?.hold ?? null;
  if (hold !== null && version <= hold.version) {
    return finish(setup, state, event, toOutcome(state, event, 'held', 'verify', subject));
  }
  const isEnforced = enforcedDigest(state) === bundle.digest;
  const { admission, checks } = verdict;
  return raise(state, { bundle, admission, checks }, isEnforced);
}

function onRefused(
  setup: MachineSetup,
  state: State,
  event: Event,
  subject: Subject & { readonly digest: Digest },
  failures: readonly Failure[],
  from: string | null = null,
): Step {
  const outcome = toOutcome(state, event, 'refused', 'verify', subject, failures);
  return refuse(setup, state, event, outcome, subject.digest, failures, from);
}

/** Ends a poll that could not be completed before a verdict. */
export function onPollFailed(
  setup: MachineSetup,
  state: State,
  event: Event,
  stage: 'resolve' | 'fetch' | 'verify',
  subject: Subject,
  why: Failure,
  from: string | null = null,
): Step {
  if (subject.digest === null) {
    return finish(setup, state, event, toOutcome(state, event, 'failed', stage, subject, [why]));
  }
  const outcome = toOutcome(state, event, 'failed', stage, subject, [why]);
  return refuse(setup, state, event, outcome, subject.digest, [why], from);
}

/** What the agent goes by when it judges a bundle. */
export function toContext(
  setup: MachineSetup,
  state: State,
  event: Event,
  digest: Digest,
): VerifyContext {
  const store = storeOf(state);
  return {
    nowMs: event.atMs,
    floor: toFloor(state, digest),
    admitted: store.generations.map((it) => it.digest),
    repository: setup.repository,
    channel: setup.channel,
    agentVersion: setup.agentVersion,
    labels: setup.labels,
    head: state.head,
    ...offerOf(setup, state),
    // What is enforced already was admitted once; verifying it again does not ask whether it is new.
    purpose: enforcedDigest(state) === digest ? 'replay' : 'admit',
  };
}

// Early and cheap; the enforcer compares again. One that has nothing loaded says nothing of hooks.
function offerOf(
  { kernelRelease }: MachineSetup,
  { enforcer }: State,
): Pick<VerifyContext, 'host'> {
  if (enforcer === null || enforcer.disabled !== null || enforcer.hooks.length === 0) return {};
  return { host: toOffer(kernelRelease, enforcer.hooks) };
}

// The higher of both copies. The enforcer tells no digest with its own: when it is ahead, whether an
// equal version is the same bundle is left to its own, authoritative check.
function toFloor(state: State, digest: Digest): Floor | null {
  const own = storeOf(state).floor;
  const told = toBundleVersion(state.enforcer?.highestSeen ?? 0);
  if (told === null || (own !== null && own.highestSeen >= told)) return own;
  return { highestSeen: told, digest };
}

/** What is left of the poll for one more effect, at most `capMs`. */
export function remainingMs(
  setup: MachineSetup,
  state: State,
  event: Event,
  capMs: number,
): number {
  const endMs = state.pollStartedMs + setup.schedule.pollTimeoutMs;
  return Math.max(1, Math.min(capMs, endMs - event.atMs));
}
