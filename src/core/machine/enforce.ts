// From an admitted bundle to a recorded one: floor, evidence, kernel, health, record. Each step waits
// for the answer of the one before; the order is the invariant.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { Enforced } from '../enforcement.ts';
import { type Failure, failure } from '../result.ts';
import type { Floor } from '../verify/verdict.ts';
import type { Generation } from './contents.ts';
import { finish, go, storeOf, toOutcome, withEnforced } from './finish.ts';
import { judgeHealth } from './health.ts';
import { ask, confirm, doubt, probe, record, refuse, restore } from './moves.ts';
import type { Admitted, Event, MachineSetup, Phase, State, Step } from './state.ts';

const ACTIVATE_TIMEOUT_MS = 60_000;

/** Raises the floor before anything is kept or activated; a replay below it leaves it alone. */
export function raise(state: State, admitted: Admitted, isEnforced: boolean): Step {
  const { digest, descriptor } = admitted.admission;
  const own = storeOf(state).floor;
  if (isEnforced && own !== null && descriptor.version <= own.highestSeen) {
    return stage(state, admitted);
  }
  const floor: Floor = { highestSeen: descriptor.version, digest };
  return go(state, { at: 'raising', admitted }, { kind: 'raise-floor', floor });
}

/** Takes over the floor that the disk confirmed. */
export function onFloorRaised(state: State, admitted: Admitted, floor: Floor): Step {
  const next = { ...state, store: { ...storeOf(state), floor } };
  return stage(next, admitted);
}

function stage(state: State, admitted: Admitted): Step {
  return go(state, { at: 'staging', admitted }, { kind: 'stage', admitted });
}

/** Activates what is staged, unless it is in force already and was only verified again. */
export function onStaged(
  setup: MachineSetup,
  state: State,
  event: Event,
  admitted: Admitted,
  generation: Generation,
): Step {
  const store = storeOf(state);
  const others = store.generations.filter((it) => it.digest !== generation.digest);
  const next = { ...state, store: { ...store, generations: [...others, generation] } };
  const { digest } = admitted.admission;
  const enforced = state.enforcer?.enforced;
  if (enforced?.kind === 'bundle' && enforced.confirmed && enforced.bundle.digest === digest) {
    const subject = { digest, version: generation.version };
    return finish(setup, next, event, toOutcome(next, event, 'readmitted', 'verify', subject));
  }
  return go(
    next,
    { at: 'activating', digest },
    { kind: 'activate', bundle: admitted.bundle, timeoutMs: ACTIVATE_TIMEOUT_MS },
  );
}

/** Probes what was activated; an answer about something else is a doubt. */
export function onActivated(
  setup: MachineSetup,
  state: State,
  event: Event,
  digest: Digest,
  enforced: Enforced,
): Step {
  const next = withEnforced(state, enforced);
  if (enforced.kind !== 'bundle' || enforced.bundle.digest !== digest) {
    const why = failure('activate/kernel-refused', 'the enforcer answered for another generation');
    return onEffectFailed(setup, next, event, 'activate', digest, why);
  }
  return enforced.confirmed
    ? record(next, event, enforced.bundle, 'report-activated')
    : probe(next, digest);
}

/** Confirms what was seen to work; anything else is restored. */
export function onProbed(
  setup: MachineSetup,
  state: State,
  event: Event & { readonly kind: 'probed' },
  digest: Digest,
): Step {
  const enforced = state.enforcer?.enforced;
  const generation = enforced?.kind === 'bundle' ? enforced.generation : null;
  if (event.canary.generation !== generation) {
    const why = failure('confirm/health-failed', 'the canary ran against another generation');
    return condemn(setup, state, event, digest, why);
  }
  const why = judgeHealth(event.canary, event.probes, setup.probes);
  return why === null ? confirm(state, digest) : condemn(setup, state, event, digest, why);
}

/** Takes a pending generation out of force, for a reason that is kept until it is out. */
export function condemn(
  setup: MachineSetup,
  state: State,
  event: Event,
  digest: Digest,
  why: Failure,
): Step {
  const enforced = state.enforcer?.enforced;
  // Only what is known to be pending can be condemned; otherwise ask first.
  if (enforced?.kind !== 'bundle' || enforced.bundle.digest !== digest) {
    return onEffectFailed(setup, state, event, 'confirm', digest, why);
  }
  return restore(state, { bundle: enforced.bundle, failure: why });
}

/** Records what is confirmed; an answer about something else is a doubt. */
export function onConfirmed(
  setup: MachineSetup,
  state: State,
  event: Event,
  digest: Digest,
  enforced: Enforced,
): Step {
  const next = withEnforced(state, enforced);
  if (enforced.kind === 'bundle' && enforced.confirmed && enforced.bundle.digest === digest) {
    return record(next, event, enforced.bundle, 'report-activated');
  }
  const why = failure('confirm/not-pending', 'the enforcer answered for another generation');
  return onEffectFailed(setup, next, event, 'confirm', digest, why);
}

/** Memory moves on: the disk has answered. */
export function onRecorded(
  setup: MachineSetup,
  state: State,
  event: Event,
  phase: Phase & { readonly at: 'recording' },
): Step {
  const store = storeOf(state);
  const { digest, version } = phase.bundle;
  const known = store.generations.some((it) => it.digest === digest);
  const unknown: Generation = { digest, version, trustFingerprint: null };
  const generations = known ? store.generations : [...store.generations, unknown];
  const quarantine = store.quarantine.filter((it) => it.digest !== digest);
  const next = { ...state, store: { ...store, active: digest, generations, quarantine } };
  // The answer that led here may be old by now; before a poll goes on, it is asked again.
  if (phase.then !== 'report-activated') return ask(next, phase.then, null);
  const outcome = toOutcome(next, event, 'activated', 'record', { digest, version });
  const end = finish(setup, next, event, outcome);
  return { state: end.state, commands: [{ kind: 'prune' }, ...end.commands] };
}

/** Keeps a condemned digest out, now that it is out of force. */
export function onRestored(setup: MachineSetup, state: State, event: Event): Step {
  const condemned = state.condemned;
  if (condemned === null) return ask(state, 'poll', null);
  const { bundle, failure: why } = condemned;
  const outcome = toOutcome(state, event, 'restored', 'confirm', bundle, [why]);
  return refuse(setup, { ...state, condemned: null }, event, outcome, bundle.digest, [why]);
}

/** An effect failed or may have happened: the enforcer knows which. */
export function onEffectFailed(
  setup: MachineSetup,
  state: State,
  event: Event,
  stageName: 'activate' | 'confirm' | 'record' | 'restore',
  digest: Digest,
  why: Failure,
): Step {
  const outcome = toOutcome(state, event, 'failed', stageName, { digest, version: null }, [why]);
  const attempted = stageName === 'activate' || stageName === 'confirm';
  return doubt(setup, state, event, attempted ? { digest, failure: why } : null, outcome);
}
