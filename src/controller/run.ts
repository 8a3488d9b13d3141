// The loop: take a command, interpret it, step with its event, take over the commands that follow. One
// command at a time, so one poll at a time; there is no other place where the state changes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command, Event, State, Step } from '../core/machine/state.ts';
import { invariant } from '../core/result.ts';
import { type AgentPorts, interpret } from './interpret.ts';

/** The machine, bound to its setup. */
export interface Machine {
  readonly begin: (atMs: number) => Step;
  readonly step: (state: State, event: Event) => Step;
  readonly mayStop: (state: State) => boolean;
}

/** Waits for a time, or for somebody who wants a poll now, or for the stop. */
export type Wait = (untilMs: number, stop: AbortSignal) => Promise<void>;

/** Runs until the stop signal, or until the machine asks for nothing more; answers the last state. */
export async function run(
  machine: Machine,
  ports: AgentPorts,
  wait: Wait,
  stop: AbortSignal,
): Promise<State> {
  const { clock } = ports;
  let { state, commands } = machine.begin(clock.nowMs());
  let queue: readonly Command[] = commands;
  while (queue.length > 0) {
    if (stop.aborted && machine.mayStop(state)) return state;
    const [command, ...rest] = queue;
    invariant(command !== undefined, 'the queue is not empty');
    const body = await execute(ports, wait, command, stop);
    if (body === null) {
      queue = rest;
      continue;
    }
    invariant(rest.length === 0, 'only the last command of a step answers');
    ({ state, commands } = machine.step(state, {
      ...body,
      atMs: clock.nowMs(),
      random: clock.random(),
    }));
    queue = commands;
  }
  return state;
}

async function execute(ports: AgentPorts, wait: Wait, command: Command, stop: AbortSignal) {
  if (command.kind !== 'wait') return await interpret(ports, command, stop);
  await wait(command.untilMs, stop);
  return { kind: 'woken' } as const;
}
