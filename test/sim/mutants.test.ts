// The checker needs a test of its own: each planted bug must be found by some history with at most two
// faults. A mutant that survives means an invariant that nobody looks at.
//
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import type { Machine } from '../../src/controller/run.ts';
import type { Command, Event, EventBody, State, Step } from '../../src/core/machine/state.ts';
import { Violation, type World } from '../support/fakes.ts';
import { distinctFaults, enumerate, SCENARIOS } from '../support/histories.ts';
import type { Mutation } from '../support/sim.ts';

/** Sees every event before the machine does. */
const onEvent =
  (change: (event: Event, state: State, world: World) => Event): Mutation =>
  (machine, world) => ({
    ...machine,
    step: (state, event) => machine.step(state, change(event, state, world)),
  });

/** Sees every step after the machine has made it. */
const onStep =
  (change: (step: Step, machine: Machine, event: Event, world: World) => Step): Mutation =>
  (machine, world) => ({
    ...machine,
    step: (state, event) => change(machine.step(state, event), machine, event, world),
  });

/** Does not run a command and goes on as if it had answered. */
const skip = (
  kind: Command['kind'],
  answer: (command: Command, state: State, world: World) => EventBody,
): Mutation =>
  onStep((next, machine, event, world) => {
    const command = next.commands.find((it) => it.kind === kind);
    if (command === undefined) return next;
    const { atMs, random } = event;
    return machine.step(next.state, { ...answer(command, next.state, world), atMs, random });
  });

/** Takes a failure of a command for its success. */
const ignoreFailure = (
  of: Command['kind'],
  answer: (state: State, world: World) => EventBody,
): Mutation =>
  onEvent((event, state, world) => {
    if (event.kind !== 'failed' || event.of !== of) return event;
    return { ...answer(state, world), atMs: event.atMs, random: event.random };
  });

const healthy = (world: World): EventBody => ({
  kind: 'probed',
  canary: {
    healthy: true,
    generation: world.generation,
    at: '',
    results: [{ hook: 'file_open', operation: 'read', outcome: 'denied', detail: '' }],
  },
  probes: [{ name: 'web', outcome: 'passed', detail: '' }],
});

const raised = (state: State): EventBody => {
  if (state.phase.at !== 'raising') throw new Error('not raising');
  const { digest, descriptor } = state.phase.admitted.admission;
  return { kind: 'floor-raised', floor: { highestSeen: descriptor.version, digest } };
};

const staged = (state: State): EventBody => {
  if (state.phase.at !== 'staging') throw new Error('not staging');
  const { digest, descriptor, trustFingerprint } = state.phase.admitted.admission;
  return { kind: 'staged', generation: { digest, version: descriptor.version, trustFingerprint } };
};

const fullStatus = (state: State): EventBody => {
  if (state.enforcer === null) throw new Error('never asked');
  return { kind: 'asked', status: state.enforcer };
};

const lockOut = (store: State['store']): State['store'] =>
  store === null
    ? null
    : {
        ...store,
        quarantine: store.quarantine.map((it) => ({
          ...it,
          retryAfterMs: Date.parse('2100-01-01'),
        })),
      };

const MUTANTS: Readonly<Record<string, Mutation>> = {
  'activates without raising the floor': skip('raise-floor', (_command, state) => raised(state)),
  'activates though the floor was not written': ignoreFailure('raise-floor', raised),
  'activates without keeping the evidence': skip('stage', (_command, state) => staged(state)),
  'activates though the evidence was not written': ignoreFailure('stage', staged),
  'confirms without looking': skip('probe', (_command, _state, world) => healthy(world)),
  'takes a canary that failed for one that passed': onEvent((event, _state, world) =>
    event.kind === 'probed' ? { ...event, ...healthy(world) } : event,
  ),
  'takes a canary that did not run for one that passed': ignoreFailure('probe', (_state, world) =>
    healthy(world),
  ),
  'takes a host probe that did not report for one that passed': onEvent((event) =>
    event.kind === 'probed' && event.probes.length === 0
      ? { ...event, probes: [{ name: 'web', outcome: 'passed', detail: '' }] }
      : event,
  ),
  'records in memory though the disk refused': ignoreFailure('record', () => ({
    kind: 'recorded',
  })),
  'never records': skip('record', () => ({ kind: 'recorded' })),
  'rolls back after a confirm whose outcome is unknown': onStep((next, _machine, event) => {
    if (event.kind !== 'failed' || event.of !== 'confirm') return next;
    const enforced = next.state.enforcer?.enforced;
    if (enforced?.kind !== 'bundle') return next;
    const condemned = { bundle: enforced.bundle, failure: event.failure };
    return {
      state: { ...next.state, phase: { at: 'restoring', condemned } },
      commands: [{ kind: 'restore', reason: '', timeoutMs: 1 }],
    };
  }),
  'polls on what it remembers instead of asking': (machine) => {
    let start = true;
    return {
      ...machine,
      step: (state, event) => {
        const next = machine.step(state, event);
        if (!next.commands.some((it) => it.kind === 'ask') || next.state.enforcer === null) {
          start = false;
          return next;
        }
        if (start) return next;
        return machine.step(next.state, { ...fullStatus(next.state), atMs: event.atMs, random: 0 });
      },
    };
  },
  'forgets which generation it condemned': onStep((next, _machine, event) =>
    event.kind === 'failed' && event.of === 'restore'
      ? { ...next, state: { ...next.state, condemned: null } }
      : next,
  ),
  'leaves a condemned generation in force': skip('restore', (_command, state) => ({
    kind: 'restored',
    enforced: state.enforcer?.lastKnownGood
      ? {
          kind: 'bundle',
          generation: 0,
          since: '',
          bundle: state.enforcer.lastKnownGood,
          confirmed: true,
        }
      : { kind: 'nothing' },
  })),
  'does not see the hold': onEvent((event) =>
    event.kind === 'asked' ? { ...event, status: { ...event.status, hold: null } } : event,
  ),
  'does not keep what failed in quarantine': onStep((next) => ({
    ...next,
    state:
      next.state.store === null
        ? next.state
        : { ...next.state, store: { ...next.state.store, quarantine: [] } },
  })),
  'reports a poll twice': onStep((next) => ({
    ...next,
    commands: next.commands.flatMap((it): Command[] => (it.kind === 'report' ? [it, it] : [it])),
  })),
  'does not report a failure': onStep((next) => ({
    ...next,
    commands: next.commands.filter(
      (it) => it.kind !== 'report' || it.outcome === null || it.outcome.kind !== 'failed',
    ),
  })),
  'gives up after a failed poll': onStep((next, _machine, event) =>
    event.kind === 'failed'
      ? { ...next, commands: next.commands.filter((it) => it.kind !== 'wait') }
      : next,
  ),
  'never lets a digest out of quarantine': onStep((next) => ({
    ...next,
    state: { ...next.state, store: lockOut(next.state.store) },
  })),
};

/** The first history that finds the mutant, or null when it survives. */
async function hunt(mutate: Mutation): Promise<string | null> {
  for (const depth of [0, 1, 2]) {
    for (const scenario of Object.values(SCENARIOS)) {
      try {
        await enumerate(scenario, depth, distinctFaults, mutate);
      } catch (cause) {
        if (!(cause instanceof Error) || !(cause.cause instanceof Violation)) throw cause;
        return cause.message;
      }
    }
  }
  return null;
}

test.each(Object.entries(MUTANTS))('the checker finds a machine that %s', async (_name, mutate) => {
  expect(await hunt(mutate)).toMatch(/^history \[.*\]: /);
});
