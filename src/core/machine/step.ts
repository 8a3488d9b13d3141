// The agent's state machine: step(setup, state, event) -> { state, commands }. Pure and total.
//
// Invariants (test/sim checks each of them at every step, over scripted faults):
//   I1  Enforced is always one admitted generation, the baseline, or nothing before the first activation.
//   I2  The floor never falls. What is active falls only to a digest recorded here as admitted.
//   I3  The floor rises after verification and is on the disk before the kernel is touched; so is the
//       evidence. A floor or evidence that could not be written ends the poll.
//   I4  Memory moves on only when the disk has answered.
//   I5  Confirm only after the canary and every configured probe were seen to pass. Not run and no
//       data are failures; a failed generation is restored, never confirmed.
//   I6  Past confirm only forward: a record that failed is tried again, never undone.
//   I7  Every poll, every start and every doubt about an effect asks the enforcer what is enforced.
//   I8  What was rolled away from is not activated until a higher version or resume.
//   I9  One poll runs at a time, ends with one outcome, and is reported once.
//   I10 Where heads are demanded, only what a fresh head names is activated, and heads never go back.
//
// Deliberately absent: time, chance, effects, and any use of a kernel event in a decision. Expiry only
// stops new activations (judge) and is shown; it never unloads anything.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorSpec } from '../errors/spec.ts';
import { ERRORS } from '../errors.ts';
import { formatReference } from '../reference.ts';
import { type Failure, failure } from '../result.ts';
import { initialStatus, type Stage } from '../status.ts';
import { onAsked } from './converge.ts';
import { onHead, onHeadFailed } from './discover.ts';
import {
  condemn,
  onActivated,
  onConfirmed,
  onEffectFailed,
  onFloorRaised,
  onProbed,
  onRecorded,
  onRestored,
  onStaged,
} from './enforce.ts';
import { finish, go, NOTHING, stay, toOutcome, waitUntil, withEnforced } from './finish.ts';
import { ask } from './moves.ts';
import { notingFailure } from './note.ts';
import { onCollected, onDiscovered, onFetched, onPollFailed, toContext } from './poll.ts';
import { keepValid } from './quarantine.ts';
import type { Event, MachineSetup, State, Step } from './state.ts';

/** The first state and the first command of a process. */
export function begin(setup: MachineSetup, atMs: number): Step {
  return {
    state: {
      phase: { at: 'starting' },
      store: null,
      enforcer: null,
      condemned: null,
      head: null,
      refusedAt: [],
      failuresInRow: 0,
      triesInPoll: 0,
      pollStartedMs: atMs,
      status: initialStatus(setup.agentVersion, formatReference(setup.reference), atMs),
    },
    commands: [{ kind: 'load' }],
  };
}

/** Whether a process may end here without leaving a generation that waits for its confirmation. */
export function mayStop(state: State): boolean {
  switch (state.phase.at) {
    case 'activating':
    case 'probing':
    case 'confirming':
    case 'recording':
    case 'restoring':
    case 'quarantining':
      return false;
    default:
      return true;
  }
}

/** Decides what follows from an event; an event that does not fit the phase changes nothing. */
export function step(setup: MachineSetup, state: State, event: Event): Step {
  const { phase } = state;
  if (event.kind === 'failed') return onFailed(setup, state, event, event.failure);
  switch (phase.at) {
    case 'starting':
      return event.kind === 'loaded' ? onLoaded(setup, state, event) : stay(state);
    case 'idle':
      return event.kind === 'woken' ? onWoken(state, event) : stay(state);
    case 'asking':
      return event.kind === 'asked'
        ? onAsked(setup, state, event, phase, event.status)
        : stay(state);
    case 'resolving':
      return event.kind === 'discovered'
        ? onDiscovered(setup, state, event, event.candidate)
        : stay(state);
    case 'finding-head':
    case 'reading-head':
    case 'telling-head':
      return onHead(setup, state, event);
    case 'fetching':
      return event.kind === 'fetched'
        ? onFetched(setup, state, event, phase.candidate, event.bundle)
        : stay(state);
    case 'verifying':
      return event.kind === 'collected'
        ? onCollected(setup, state, event, phase.bundle, event.evidence)
        : stay(state);
    case 'quarantining':
      return event.kind === 'quarantined'
        ? finish(setup, state, event, phase.outcome)
        : stay(state);
    case 'stopped':
      return stay(state);
    default:
      return onEnforcing(setup, state, event);
  }
}

// The phases from the floor to the record.
function onEnforcing(setup: MachineSetup, state: State, event: Event): Step {
  const { phase } = state;
  if (phase.at === 'raising' && event.kind === 'floor-raised') {
    return onFloorRaised(state, phase.admitted, event.floor);
  }
  if (phase.at === 'staging' && event.kind === 'staged') {
    return onStaged(setup, state, event, phase.admitted, event.generation);
  }
  if (phase.at === 'activating' && event.kind === 'activated') {
    return onActivated(setup, state, event, phase.digest, event.enforced);
  }
  if (phase.at === 'probing' && event.kind === 'probed') {
    return onProbed(setup, state, event, phase.digest);
  }
  if (phase.at === 'confirming' && event.kind === 'confirmed') {
    return onConfirmed(setup, state, event, phase.digest, event.enforced);
  }
  if (phase.at === 'recording' && event.kind === 'recorded') {
    return onRecorded(setup, state, event, phase);
  }
  if (phase.at === 'restoring' && event.kind === 'restored') {
    return onRestored(setup, withEnforced(state, event.enforced), event);
  }
  return stay(state);
}

function onLoaded(setup: MachineSetup, state: State, event: Event & { kind: 'loaded' }): Step {
  const quarantine = keepValid(setup, event.contents.quarantine);
  // A start that failed was told as a poll, and so is what follows it.
  const purpose = state.failuresInRow === 0 ? 'start' : 'poll';
  return ask({ ...state, store: { ...event.contents, quarantine } }, purpose, null);
}

function onWoken(state: State, event: Event): Step {
  const next = { ...state, pollStartedMs: event.atMs };
  if (next.store === null) return go(next, { at: 'starting' }, { kind: 'load' });
  return ask(next, 'poll', null);
}

function onFailed(setup: MachineSetup, state: State, event: Event, why: Failure): Step {
  const { phase } = state;
  switch (phase.at) {
    case 'starting':
      return onLoadFailed(setup, state, event, why);
    case 'asking':
      return end(setup, { ...state, enforcer: null }, event, 'resolve', why);
    case 'resolving':
      return onPollFailed(setup, state, event, 'resolve', NOTHING, why);
    case 'finding-head':
    case 'reading-head':
    case 'telling-head':
      return onHeadFailed(setup, state, event, why);
    case 'fetching': {
      const { digest } = phase.candidate;
      const subject = { digest, version: null };
      const next = onPollFailed(setup, state, event, 'fetch', subject, why);
      return notingFailure(setup, { digest }, why, event.atMs, next);
    }
    case 'verifying': {
      const { bundle } = phase;
      const subject = { digest: bundle.digest, version: null };
      const from = bundle.from ?? null;
      const next = onPollFailed(setup, state, event, 'verify', subject, why, from);
      const context = toContext(setup, state, event, bundle.digest);
      return notingFailure(setup, { bundle, context }, why, event.atMs, next);
    }
    case 'raising':
    case 'staging':
      return end(setup, state, event, 'stage', why);
    case 'activating':
      return onEffectFailed(setup, state, event, 'activate', phase.digest, why);
    case 'probing':
      return condemn(setup, state, event, phase.digest, toNoData(why));
    case 'confirming':
      return onEffectFailed(setup, state, event, 'confirm', phase.digest, why);
    case 'recording':
      return onEffectFailed(setup, state, event, 'record', phase.bundle.digest, why);
    case 'restoring':
      return onEffectFailed(setup, state, event, 'restore', phase.condemned.bundle.digest, why);
    case 'quarantining':
      // The entry is in memory; without the disk a restart costs one more download.
      return finish(setup, state, event, phase.outcome);
    case 'idle':
    case 'stopped':
      return stay(state);
  }
}

function end(setup: MachineSetup, state: State, event: Event, stage: Stage, why: Failure): Step {
  return finish(setup, state, event, toOutcome(state, event, 'failed', stage, NOTHING, [why]));
}

function toNoData(why: Failure): Failure {
  return failure('confirm/health-no-data', 'the enforcer could not run its canaries', {
    causes: [`${why.code}: ${why.message}`],
  });
}

function onLoadFailed(setup: MachineSetup, state: State, event: Event, why: Failure): Step {
  const spec: ErrorSpec = ERRORS[why.code];
  if (spec.retry === 'backoff') return end(setup, state, event, 'record', why);
  // Lost or corrupt state is for a person: nothing is activated on a guess.
  const outcome = toOutcome(state, event, 'failed', 'record', NOTHING, [why]);
  const waiting = waitUntil(setup, state, event, event.atMs, outcome);
  return go(
    waiting.state,
    { at: 'stopped', failure: why },
    { kind: 'report', status: waiting.state.status, outcome },
  );
}
