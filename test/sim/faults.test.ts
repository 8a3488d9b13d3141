// Every history with up to two faults, and random ones with more.
//
// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../support/fakes.ts';
import { allFaults, distinctFaults, enumerate, SCENARIOS } from '../support/histories.ts';
import { simulate } from '../support/sim.ts';

describe('every history with one fault of any kind, and every one with two that differ, converges', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    test(name, async () => {
      expect(await enumerate(scenario, 1, allFaults)).toBeGreaterThan(150);
      expect(await enumerate(scenario, 2, distinctFaults)).toBeGreaterThan(1_000);
    });
  }
});

test('random histories with up to eight faults keep every invariant and converge', async () => {
  const scenarios = Object.values(SCENARIOS);
  const history = fc.record({
    scenario: fc.constantFrom(...scenarios),
    faults: fc.array(fc.tuple(fc.nat(30), fc.constantFrom(...FAULTS)), { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ scenario, faults }) => {
      // Each fault lands on one of the calls that this history really makes.
      let chosen = new Map<number, (typeof FAULTS)[number]>();
      for (const [offset, fault] of faults) {
        const { calls, names } = await simulate(scenario, chosen);
        const last = Math.max(-1, ...chosen.keys());
        const index = last + 1 + (offset % Math.max(1, calls - last - 1));
        const local = /^(store|reporter)\./.test(names[index] ?? 'store.');
        if (index >= calls || (fault === 'hang' && local)) continue;
        chosen = new Map(chosen).set(index, fault);
      }
      await simulate(scenario, chosen);
    }),
    { numRuns: 2_000, seed: 20260101 },
  );
});
