// The scenarios of the simulation and the enumeration of their faults.
//
// SPDX-License-Identifier: Apache-2.0

import { FAULTS, type Fault, fakeBundle, rollBack, type World } from './fakes.ts';
import { type Mutation, type Scenario, simulate } from './sim.ts';

const v1 = fakeBundle(1, 1);
const v2 = fakeBundle(2, 2);
const forged = fakeBundle(66, 9, { signed: false });
// Fails its canary at the first look and passes later ones: one failure must be enough.
const v3Bad = fakeBundle(3, 3, { health: ['bad', 'good'] });
const v3NoData = fakeBundle(4, 3, { health: ['no-data'] });
const v3ProbeFails = fakeBundle(5, 3, { health: ['probe-fails', 'good'] });
const v4 = fakeBundle(6, 4);
const v5 = fakeBundle(7, 5);

const publish =
  (bundle: ReturnType<typeof fakeBundle>) =>
  (world: World): void => {
    world.registryUp = true;
    world.publish(bundle);
  };
const registryDown = (world: World): void => {
  world.registryUp = false;
};
const nothing = (): void => {};

/** Each ends with a good bundle that is newer than all others. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a forged and an older bundle are offered': [
    publish(v1),
    publish(forged),
    publish(v2),
    publish(v1),
    publish(v4),
  ],
  'a bundle fails its canary, once': [publish(v2), publish(v3Bad), nothing, publish(v4)],
  'a bundle gives no data, the registry goes down': [
    publish(v1),
    publish(v3NoData),
    registryDown,
    publish(v4),
  ],
  'a host probe fails': [publish(v2), publish(v3ProbeFails), publish(v4)],
  'an operator rolls back and holds': [publish(v1), publish(v2), rollBack, nothing, publish(v4)],
  'the first bundle ever fails': [publish(v3Bad), publish(v4), publish(v5)],
};

/** Every fault that can happen at a call: only what has a deadline can hang. */
export function allFaults(name: string): readonly Fault[] {
  const local = name.startsWith('store.') || name.startsWith('reporter.');
  return local ? FAULTS.filter((fault) => fault !== 'hang') : FAULTS;
}

const EFFECT =
  /^store\.(raise|stage|commit|quarantine)|^enforcer\.(activate|probe|confirm|restore)/;

/**
 * One fault of every class that differs in the world. A crash before a call is a crash after the
 * effect before it, for memory is lost and the world is the same; a call without an effect fails the
 * same way before and after; a hang is an error before that takes longer.
 */
export function distinctFaults(name: string): readonly Fault[] {
  if (EFFECT.test(name)) return ['error-before', 'error-after', 'crash-after'];
  return name.startsWith('reporter.') || name === 'store.prune' ? [] : ['error-before'];
}

/** Plays every history with up to `depth` faults; answers how many there were. */
export async function enumerate(
  scenario: Scenario,
  depth: number,
  faultsOf: (name: string) => readonly Fault[],
  mutate?: Mutation,
  faults: ReadonlyMap<number, Fault> = new Map(),
  from = 0,
): Promise<number> {
  const base = await play(scenario, faults, mutate);
  let count = 1;
  if (depth === 0) return count;
  for (let index = from; index < base.calls; index += 1) {
    for (const fault of faultsOf(base.names[index] ?? '')) {
      const more = new Map(faults).set(index, fault);
      count += await enumerate(scenario, depth - 1, faultsOf, mutate, more, index + 1);
    }
  }
  return count;
}

async function play(scenario: Scenario, faults: ReadonlyMap<number, Fault>, mutate?: Mutation) {
  try {
    const run = await simulate(scenario, faults, mutate);
    // A fault that did not fire proves nothing.
    if (run.world.fired.length !== faults.size) throw new Error('a fault never fired');
    return run;
  } catch (cause) {
    const history = [...faults].map(([index, fault]) => `${fault}@${index}`).join(' ');
    throw new Error(`history [${history}]: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
