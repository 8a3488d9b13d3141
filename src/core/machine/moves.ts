// The steps that talk to the enforcer and to the quarantine, each a phase with the command that ends it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { BundleSummary } from '../enforcement.ts';
import type { Failure } from '../result.ts';
import { type Outcome, toIso } from '../status.ts';
import { finish, go, storeOf } from './finish.ts';
import { isQuarantined, nextQuarantine, refusedElsewhere } from './quarantine.ts';
import type {
  AfterRecord,
  Attempted,
  Condemned,
  Event,
  MachineSetup,
  State,
  Step,
} from './state.ts';

const ASK_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 60_000;
const CONFIRM_TIMEOUT_MS = 10_000;
const RESTORE_TIMEOUT_MS = 60_000;
/** Effects on the enforcer that may fail within one poll before the machine waits. */
const TRIES_MAX = 3;

/** Asks what is enforced: every poll starts with it, and every doubt ends with it. */
export function ask(state: State, purpose: 'start' | 'poll', after: Attempted | null): Step {
  return go(state, { at: 'asking', purpose, after }, { kind: 'ask', timeoutMs: ASK_TIMEOUT_MS });
}

/** Looks whether what is pending works. */
export function probe(state: State, digest: Digest): Step {
  return go(state, { at: 'probing', digest }, { kind: 'probe', timeoutMs: PROBE_TIMEOUT_MS });
}

/** Makes what was probed the last-known-good: the commit point. */
export function confirm(state: State, digest: Digest): Step {
  const command = { kind: 'confirm', digest, timeoutMs: CONFIRM_TIMEOUT_MS } as const;
  return go(state, { at: 'confirming', digest }, command);
}

/** Writes down what the enforcer confirmed; from here on only forward. */
export function record(state: State, event: Event, bundle: BundleSummary, then: AfterRecord): Step {
  const command = { kind: 'record', bundle, at: toIso(event.atMs) } as const;
  return go(state, { at: 'recording', bundle, then }, command);
}

/** Takes a condemned generation out of force. */
export function restore(state: State, condemned: Condemned): Step {
  return go(
    { ...state, condemned },
    { at: 'restoring', condemned },
    { kind: 'restore', reason: condemned.failure.code, timeoutMs: RESTORE_TIMEOUT_MS },
  );
}

/** After an effect whose outcome is unknown: ask which it was, or wait when that happened too often. */
export function doubt(
  setup: MachineSetup,
  state: State,
  event: Event,
  after: Attempted | null,
  outcome: Outcome,
): Step {
  const triesInPoll = state.triesInPoll + 1;
  if (triesInPoll >= TRIES_MAX) return finish(setup, state, event, outcome);
  return ask({ ...state, triesInPoll }, 'poll', after);
}

/**
 * Ends a poll with a bad digest: keeps it out for a time when the failure would come again. What one place
 * served badly (`from`) may be good in another one, so it is out only when every place was refused.
 */
export function refuse(
  setup: MachineSetup,
  state: State,
  event: Event,
  outcome: Outcome,
  digest: Digest,
  failures: readonly Failure[],
  from: string | null = null,
): Step {
  const cause = failures.find((it) => isQuarantined(it.code));
  const store = storeOf(state);
  if (cause === undefined) return finish(setup, state, event, outcome);
  const refusedAt = refusedElsewhere(setup, state.refusedAt, digest, from);
  if (refusedAt !== null) return finish(setup, { ...state, refusedAt }, event, outcome);
  const entry = nextQuarantine(setup, store.quarantine, digest, cause.code, event.atMs);
  const others = store.quarantine.filter((it) => it.digest !== digest);
  // Memory does not wait for the disk here: forgetting an entry only costs a download.
  const next = { ...state, store: { ...store, quarantine: [...others, entry] } };
  return go(next, { at: 'quarantining', outcome }, { kind: 'quarantine', entry });
}
