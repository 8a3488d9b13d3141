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
  const CALLS_MAX = 80;
  const fault = fc.tuple(fc.nat(CALLS_MAX), fc.constantFrom(...FAULTS));
  const history = fc.record({
    name: fc.constantFrom(...Object.keys(SCENARIOS)),
    faults: fc.uniqueArray(fault, { maxLength: 8, selector: ([index]) => index }),
  });
  let fired = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ name, faults }) => {
      const run = await simulate(SCENARIOS[name] ?? [], new Map(faults));
      fired += run.world.fired.length;
    }),
    { numRuns: 2_000, seed: 20260101 },
  );
  expect(fired).toBeGreaterThan(4_000);
});
