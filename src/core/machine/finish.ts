// The end of a poll: one outcome, one report, one wait. Also the small constructors that every
// transition uses.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { Enforced } from '../enforcement.ts';
import { type Failure, invariant } from '../result.ts';
import { backoffDelayMs, pollDelayMs } from '../schedule.ts';
import { nextStatus, type Outcome, type Stage } from '../status.ts';
import type { BundleVersion } from '../version.ts';
import type { StoreContents } from './contents.ts';
import type { Event, MachineSetup, Phase, State, Step } from './state.ts';

/** Moves to a phase and asks for what ends it. */
export function go(state: State, phase: Phase, ...commands: Step['commands']): Step {
  return { state: { ...state, phase }, commands };
}

/** Leaves everything as it is: the event does not belong to this phase. */
export function stay(state: State): Step {
  return { state, commands: [] };
}

/** What a poll found out about, for its outcome. */
export interface Subject {
  readonly digest: Digest | null;
  readonly version: BundleVersion | null;
}

export const NOTHING: Subject = { digest: null, version: null };

/** Makes the outcome of the poll that runs now. */
export function toOutcome(
  state: State,
  event: Event,
  kind: Outcome['kind'],
  stage: Stage,
  subject: Subject,
  failures: readonly Failure[] = [],
): Outcome {
  const durationMs = Math.max(0, event.atMs - state.pollStartedMs);
  const { digest, version } = subject;
  return { kind, stage, digest, version, failures, atMs: event.atMs, durationMs };
}

/** Ends the poll: reports it once and waits, longer after each failure in a row. */
export function finish(setup: MachineSetup, state: State, event: Event, outcome: Outcome): Step {
  const again = outcome.kind === 'failed' || mayHeal(state, outcome, event.atMs);
  const failuresInRow = again ? state.failuresInRow + 1 : 0;
  const delayMs = again
    ? backoffDelayMs(setup.schedule, failuresInRow, event.random)
    : pollDelayMs(setup.schedule, event.random);
  return waitUntil(setup, { ...state, failuresInRow }, event, event.atMs + delayMs, outcome);
}

// A refusal that put nothing into quarantine may go away by itself: attestations arrive after the
// manifest, a clock is corrected.
function mayHeal(state: State, outcome: Outcome, atMs: number): boolean {
  if (outcome.kind !== 'refused') return false;
  const waiting = state.store?.quarantine ?? [];
  return !waiting.some((it) => it.digest === outcome.digest && it.retryAfterMs > atMs);
}

/** Reports the status, with an outcome if there is one, and waits. */
export function waitUntil(
  setup: MachineSetup,
  state: State,
  event: Event,
  untilMs: number,
  outcome: Outcome | null,
): Step {
  const status = nextStatus(state.status, {
    atMs: event.atMs,
    nextPollMs: untilMs,
    outcome,
    reconciling: false,
    enforcer: state.enforcer,
    store: state.store,
    trustFingerprint: setup.trust.fingerprint,
  });
  return go(
    { ...state, status, triesInPoll: 0 },
    { at: 'idle' },
    { kind: 'report', status, outcome },
    { kind: 'wait', untilMs },
  );
}

/** What the disk holds; every phase after `starting` has it. */
export function storeOf(state: State): StoreContents {
  invariant(state.store !== null, 'the store is loaded before anything is decided');
  return state.store;
}

/** Takes over what the enforcer said is in force now. */
export function withEnforced(state: State, enforced: Enforced): State {
  if (state.enforcer === null) return state;
  const lastKnownGood =
    enforced.kind === 'bundle' && enforced.confirmed
      ? enforced.bundle
      : state.enforcer.lastKnownGood;
  return { ...state, enforcer: { ...state.enforcer, enforced, lastKnownGood } };
}
