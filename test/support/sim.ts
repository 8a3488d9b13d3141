// Runs the real machine, loop and interpreter over a fake world, through a scenario, with scripted
// faults, and checks the invariants of src/core/machine/step.ts at every step. A history is a scenario
// and a map from call number to fault: the same history is always the same run.
//
// SPDX-License-Identifier: Apache-2.0

import { bind } from '../../src/controller/daemon.ts';
import { type Machine, run } from '../../src/controller/run.ts';
import type { MachineSetup } from '../../src/core/machine/state.ts';
import { Checker } from './checker.ts';
import { Crash, type Fault, fakeJudge, fakePorts, TRUST, Violation, World } from './fakes.ts';

/** What happens outside before each poll; the last one must leave a good bundle to converge to. */
export type Scenario = readonly ((world: World) => void)[];

/** Replaces the machine by one with a planted bug. */
export type Mutation = (machine: Machine, world: World) => Machine;

export interface Run {
  readonly world: World;
  /** Calls of the scenario itself; those of the quiet time after it are not counted. */
  readonly calls: number;
  readonly names: readonly string[];
}

const QUIET_POLLS = 12;
const PROBES = ['web'];

/** The setup of the simulated agent. */
export function simSetup(world: World): MachineSetup {
  return {
    reference: { repository: { kind: 'registry', host: 'r', path: 'p' }, tag: 't', digest: null },
    repository: 'r/p',
    channel: 'c',
    agentVersion: '1.0.0',
    kernelRelease: '6.1.0',
    labels: {},
    trust: world.trust,
    judge: fakeJudge(world),
    schedule: {
      intervalMs: 60_000,
      pollTimeoutMs: 120_000,
      backoffMinMs: 1_000,
      backoffMaxMs: 900_000,
    },
    probes: PROBES,
  };
}

/** Plays one history to its end; throws {@link Violation} at the first broken invariant. */
export async function simulate(
  scenario: Scenario,
  faults: ReadonlyMap<number, Fault>,
  mutate: Mutation = (machine) => machine,
  trust = TRUST,
): Promise<Run> {
  const world = new World(faults, trust);
  const checker = new Checker(world);
  let at = 0;
  let calls = 0;
  let quiet = 0;
  let restarted = false;
  for (;;) {
    const stop = new AbortController();
    const machine = checker.watch(mutate(bind(simSetup(world)), world));
    checker.begin();
    const wait = async (untilMs: number) => {
      checker.waits();
      world.nowMs = Math.max(world.nowMs, untilMs);
      world.sleepers = [];
      // A poll that died is played again before the world goes on.
      if (restarted) restarted = false;
      else if (at < scenario.length) {
        scenario[at]?.(world);
        at += 1;
      } else {
        if (quiet === 0) calls = world.calls;
        quiet += 1;
        if (quiet > QUIET_POLLS || (quiet > 2 && checker.isConverged())) stop.abort();
      }
    };
    try {
      await run(machine, fakePorts(world), wait, stop.signal);
      break;
    } catch (cause) {
      if (!(cause instanceof Crash)) throw cause;
      restarted = true;
      checker.crashed();
    }
  }
  checker.converged();
  return { world, calls, names: world.names.slice(0, calls) };
}
