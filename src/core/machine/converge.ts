// Level-triggered: what the enforcer says is enforced decides what happens next, whatever this process
// remembers. The same code serves the start, every poll, and every doubt about an effect.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleSummary, EnforcerStatus } from '../enforcement.ts';
import { startDelayMs } from '../schedule.ts';
import { resolve } from './discover.ts';
import { onRestored } from './enforce.ts';
import { finish, storeOf, toOutcome, waitUntil } from './finish.ts';
import { probe, record, refuse, restore } from './moves.ts';

import type { Attempted, Event, MachineSetup, Phase, State, Step } from './state.ts';

/** Goes from what is enforced towards what should be. */
export function onAsked(
  setup: MachineSetup,
  before: State,
  event: Event,
  phase: Phase & { readonly at: 'asking' },
  status: EnforcerStatus,
): Step {
  const state = { ...before, enforcer: status };
  const { enforced } = status;
  if (enforced.kind === 'bundle' && !enforced.confirmed) return onPending(state, enforced.bundle);
  if (state.condemned !== null) return onRestored(setup, state, event);
  if (enforced.kind === 'bundle') {
    const { digest } = enforced.bundle;
    const attempted = phase.after?.digest === digest;
    if (attempted) return record(state, event, enforced.bundle, 'report-activated');
    if (storeOf(state).active !== digest) {
      return record(state, event, enforced.bundle, phase.after === null ? phase.purpose : 'poll');
    }
  }
  if (phase.after !== null) return onNotTaken(setup, state, event, phase.after);
  if (phase.purpose === 'poll') return resolve(setup, state, event);
  const untilMs = event.atMs + startDelayMs(setup.schedule, event.random);
  return waitUntil(setup, state, event, untilMs, null);
}

// Enforced but not confirmed: the process that activated it may have died before it looked.
function onPending(state: State, bundle: BundleSummary): Step {
  const { condemned } = state;
  if (condemned?.bundle.digest === bundle.digest) return restore(state, condemned);
  return probe({ ...state, condemned: null }, bundle.digest);
}

// The attempt did not take effect; what was enforced before is enforced still.
function onNotTaken(setup: MachineSetup, state: State, event: Event, after: Attempted): Step {
  const { digest, failure } = after;
  const subject = { digest, version: null };
  const stage = failure.code.startsWith('confirm/') ? 'confirm' : 'activate';
  const refused = toOutcome(state, event, 'refused', stage, subject, [failure]);
  const failed = toOutcome(state, event, 'failed', stage, subject, [failure]);
  if (failure.code.startsWith('host/')) return finish(setup, state, event, failed);
  return refuse(setup, state, event, refused, digest, [failure]);
}
