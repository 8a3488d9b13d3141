// Which bundle is the newest: the digest under the tag, or, where the trust policy demands heads, what a
// fresh signed head names. With a head the tag is not asked: it would be one more answer to one question.
//
// Invariant: a head is judged here and by the enforcer, which remembers it, before anything is fetched by
// it. A head that is refused, late or missing ends the poll; what is enforced stays.
//
// SPDX-License-Identifier: Apache-2.0

import type { ChannelHead } from '../head.ts';
import { LIMITS } from '../limits.ts';
import { type Failure, ok } from '../result.ts';
import type { AttestationFact } from '../verify/evidence.ts';
import { demandsHead, judgeHead } from '../verify/head.ts';
import { sameJson } from '../verify/same-json.ts';
import { finish, go, NOTHING, stay, storeOf, toOutcome } from './finish.ts';
import { noting } from './note.ts';
import { onDiscovered, onPollFailed, remainingMs } from './poll.ts';
import type { Event, MachineSetup, State, Step } from './state.ts';

/** Begins to look for the newest bundle. */
export function resolve(setup: MachineSetup, before: State, event: Event): Step {
  const state = { ...before, head: null };
  const timeoutMs = remainingMs(setup, state, event, LIMITS.fetchTimeoutMs);
  if (demandsHead(setup.trust, setup) !== null) {
    const { reference, channel } = setup;
    const command = { kind: 'find-head', reference, channel, timeoutMs } as const;
    return go(state, { at: 'finding-head' }, command);
  }
  const command = { kind: 'resolve', reference: setup.reference, timeoutMs } as const;
  return go(state, { at: 'resolving' }, command);
}

/** Goes on with a head: found, read, told to the enforcer. */
export function onHead(setup: MachineSetup, state: State, event: Event): Step {
  const { phase } = state;
  const timeoutMs = remainingMs(setup, state, event, LIMITS.verifyTimeoutMs);
  if (phase.at === 'finding-head' && event.kind === 'head-found') {
    const { statements } = event;
    const command = { kind: 'read-head', statements, timeoutMs } as const;
    return go(state, { at: 'reading-head', statements }, command);
  }
  if (phase.at === 'reading-head' && event.kind === 'head-read') {
    return onRead(setup, state, event, event.facts, phase.statements);
  }
  if (phase.at === 'telling-head' && event.kind === 'head-told') {
    const { enforcer } = state;
    const told = enforcer === null ? null : { ...enforcer, head: event.status };
    return goBy(setup, { ...state, enforcer: told }, event, phase.head);
  }
  return stay(state);
}

function onRead(
  setup: MachineSetup,
  state: State,
  event: Event,
  facts: readonly AttestationFact[],
  statements: readonly Uint8Array[],
): Step {
  const { trust, repository, channel } = setup;
  const scope = demandsHead(trust, setup);
  if (scope === null) return stay(state);
  const last = state.enforcer?.head?.last ?? null;
  const { floor } = storeOf(state);
  const context = { nowMs: event.atMs, repository, channel, last, floor };
  const judged = judgeHead(facts, trust, scope, context);
  const note = { kind: 'head', statements, answer: ok(facts), context } as const;
  if (!judged.ok) return noting(setup, note, onRefused(setup, state, event, judged.error));
  const { head } = judged.value;
  // What the enforcer has already needs no telling; it is asked at every poll.
  if (last !== null && sameJson(head, last)) return goBy(setup, state, event, head);
  const timeoutMs = remainingMs(setup, state, event, LIMITS.verifyTimeoutMs);
  const command = { kind: 'tell-head', statements, timeoutMs } as const;
  return noting(setup, note, go(state, { at: 'telling-head', head }, command));
}

function goBy(setup: MachineSetup, state: State, event: Event, head: ChannelHead): Step {
  const reference = { ...setup.reference, tag: null, digest: head.digest };
  return onDiscovered(setup, { ...state, head }, event, { reference, digest: head.digest });
}

/** Ends a poll whose head could not be had: a head that is missing is a refusal, the rest may pass. */
export function onHeadFailed(setup: MachineSetup, state: State, event: Event, why: Failure): Step {
  if (why.code.startsWith('verify/')) return onRefused(setup, state, event, [why]);
  return onPollFailed(setup, state, event, 'resolve', NOTHING, why);
}

// A head that is only old is told as what it is: nothing is wrong with what is enforced.
function onRefused(
  setup: MachineSetup,
  state: State,
  event: Event,
  failures: readonly Failure[],
): Step {
  const isStale = failures.every((it) => it.code === 'verify/stale-head');
  const kind = isStale ? 'stale' : 'refused';
  return finish(setup, state, event, toOutcome(state, event, kind, 'verify', NOTHING, failures));
}
