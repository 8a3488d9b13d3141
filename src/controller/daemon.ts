// The agent as a long-running process, seen from inside: binds the machine to its setup, waits between
// polls, and lets an operator ask for a poll now. Signals, the lock and the exit code belong to the
// composition root; here a stop is an AbortSignal.
//
// SPDX-License-Identifier: Apache-2.0

import type { MachineSetup, State } from '../core/machine/state.ts';
import { begin, mayStop, step } from '../core/machine/step.ts';
import type { Failure } from '../core/result.ts';
import type { ClockPort } from '../ports.ts';
import type { AgentPorts } from './interpret.ts';
import { type Machine, run, type Wait } from './run.ts';

/** Somebody who may want a poll before its time. */
export interface PollRequests {
  /** Resolves at the next request, or when the signal aborts. Requests while a poll runs are kept. */
  next(signal: AbortSignal): Promise<void>;
}

/** Runs the agent until the stop; a failure when it cannot go on by itself. */
export async function runAgent(
  setup: MachineSetup,
  ports: AgentPorts,
  requests: PollRequests,
  stop: AbortSignal,
): Promise<Failure | null> {
  const state = await run(bind(setup), ports, waitFor(ports.clock, requests), stop);
  return toFailure(state);
}

/** The machine of this setup. */
export function bind(setup: MachineSetup): Machine {
  return {
    begin: (atMs) => begin(setup, atMs),
    step: (state, event) => step(setup, state, event),
    mayStop,
  };
}

/** Makes the wait between two polls: the clock, a request or the stop, whichever is first. */
export function waitFor(clock: ClockPort, requests: PollRequests): Wait {
  return async (untilMs, stop) => {
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    try {
      // A clock that was set back must not make the agent wait for it to catch up: the delay counts.
      const delayMs = Math.max(0, untilMs - clock.nowMs());
      await Promise.race([clock.sleep(delayMs, signal), requests.next(signal)]);
    } finally {
      over.abort();
    }
  };
}

function toFailure(state: State): Failure | null {
  return state.phase.at === 'stopped' ? state.phase.failure : null;
}
