// Channels whose heads freeze, go back or contradict each other, with every single fault: the agent keeps
// what it enforces, goes by no head that it should not, and takes the next good one.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest';
import type { AgentStatus, Outcome } from '../../src/core/status.ts';
import { fakeBundle, TRUST_WITH_HEADS, type World } from '../support/fakes.ts';
import { allFaults } from '../support/histories.ts';
import { type Scenario, simulate } from '../support/sim.ts';

const v1 = fakeBundle(1, 1);
const v2 = fakeBundle(2, 2);
const v2Other = fakeBundle(22, 2);
const v4 = fakeBundle(4, 4);
const far = fakeBundle(9, 1_000);

const publish = (bundle: typeof v1) => (world: World) => {
  world.publish(bundle);
};
const days = (count: number) => (world: World) => {
  world.nowMs += count * 86_400_000;
};
/** The newest bundle is there, and its head is kept back. */
const hide = (bundle: typeof v1) => (world: World) => {
  const { head } = world;
  world.publish(bundle);
  world.head = head;
};
let kept: World['head'] = null;
const keep = (world: World) => {
  kept = world.head;
};
const replay = (world: World) => {
  world.head = kept;
};
const forget = (world: World) => {
  world.head = null;
};

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'freeze: heads stop, a new bundle is hidden': [
    publish(v1),
    days(2),
    hide(v2),
    publish(v2),
    publish(v4),
  ],
  'an older head comes back': [publish(v1), keep, publish(v2), replay, publish(v4)],
  'one version is two bundles': [publish(v1), publish(v2), publish(v2Other), publish(v4)],
  'the head is gone': [publish(v1), forget, publish(v4)],
};

// A first bundle has nothing to be measured by, so a fault before v1 would let the leap in.
const LEAP: Scenario = [publish(v1), publish(far), publish(v4)];

const play = (scenario: Scenario, faults: Parameters<typeof simulate>[1] = new Map()) =>
  simulate(scenario, faults, undefined, TRUST_WITH_HEADS);

/** Outcomes in order, without those that repeat. */
async function outcomesOf(scenario: Scenario) {
  const seen: Outcome[] = [];
  const watch = (world: World) => {
    const { onReport } = world;
    world.onReport = (outcome) => {
      onReport(outcome);
      if (outcome !== null) seen.push(outcome);
    };
  };
  const [first, ...rest] = scenario;
  const begin = (world: World) => {
    watch(world);
    first?.(world);
  };
  const { world } = await play([begin, ...rest]);
  return { world, told: seen.map((it) => [it.kind, it.failures[0]?.code ?? null]) };
}

describe('every history with one fault converges to what the newest head names', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      const base = await play(scenario);
      expect(base.names).toContain('enforcer.head');
      expect(base.names).not.toContain('registry.resolve');
      for (let index = 0; index < base.calls; index += 1) {
        for (const fault of allFaults(base.names[index] ?? '')) {
          const run = await play(scenario, new Map([[index, fault]]));
          expect(run.world.fired).toEqual([index]);
        }
      }
    });
  }
});

test('V10 a head that grew old is stale, blocks what is new, and takes nothing away', async () => {
  const frozen: Scenario = [publish(v1), days(2), hide(v2), publish(v4)];
  const { world, told } = await outcomesOf(frozen);
  expect(told.slice(0, 4)).toEqual([
    ['activated', null],
    ['stale', 'verify/stale-head'],
    ['stale', 'verify/stale-head'],
    ['activated', null],
  ]);
  expect(world.enforced).toMatchObject({ kind: 'bundle', bundle: { version: 4 } });
});

test('V11 an older head, and one that contradicts, are refused by their reason', async () => {
  const { told } = await outcomesOf(SCENARIOS['an older head comes back'] ?? []);
  expect(told).toContainEqual(['refused', 'verify/rollback']);
  const two = await outcomesOf(SCENARIOS['one version is two bundles'] ?? []);
  expect(two.told).toContainEqual(['refused', 'verify/equivocation']);
  const gone = await outcomesOf(SCENARIOS['the head is gone'] ?? []);
  expect(gone.told).toContainEqual(['refused', 'verify/head-missing']);
  const leap = await outcomesOf(LEAP);
  expect(leap.told).toContainEqual(['refused', 'verify/version-step']);
});

test('a poll that finds the head it knows asks the registry once and the enforcer nothing more', async () => {
  const polls: string[][] = [];
  const note = (world: World) => {
    polls.push([]);
    const { onCall } = world;
    world.onCall = (name, detail) => {
      onCall(name, detail);
      polls.at(-1)?.push(name);
    };
  };
  await play([publish(v1), note, () => polls.push([])]);
  expect(polls[0]).toEqual([
    'enforcer.status',
    'registry.head',
    'verifier.read',
    'reporter.report',
  ]);
});

test('the status says that the head is old, while the registry is down and nothing new is learnt', async () => {
  const seen: AgentStatus[] = [];
  const watch = (world: World) => {
    world.publish(v1);
    world.onStatus = (status) => seen.push(status);
  };
  const down = (world: World) => {
    world.registryUp = false;
    days(2)(world);
  };
  await play([
    watch,
    down,
    (world) => {
      world.registryUp = true;
      world.publish(v4);
    },
  ]);
  const stale = (it: AgentStatus) => it.conditions.find(({ type }) => type === 'Stale');
  expect(seen.map((it) => stale(it)?.reason)).toContain('StaleHead');
  expect(stale(seen.at(-1) as AgentStatus)).toMatchObject({ status: 'False', reason: 'Fresh' });
});
