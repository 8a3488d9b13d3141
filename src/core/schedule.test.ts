// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffDelayMs, pollDelayMs, quarantineDelayMs, startDelayMs } from './schedule.ts';

const SCHEDULE = {
  intervalMs: 60_000,
  pollTimeoutMs: 120_000,
  backoffMinMs: 1_000,
  backoffMaxMs: 900_000,
};
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('polls are spread by 10 %, the first one over a whole interval', () => {
  fc.assert(
    fc.property(chance, (random) => {
      const delayMs = pollDelayMs(SCHEDULE, random);
      expect(delayMs).toBeGreaterThanOrEqual(54_000);
      expect(delayMs).toBeLessThanOrEqual(66_000);
      expect(startDelayMs(SCHEDULE, random)).toBeLessThanOrEqual(60_000);
    }),
  );
});

test('the backoff stays inside its bounds whatever the number of failures', () => {
  fc.assert(
    fc.property(fc.nat(), chance, (failures, random) => {
      const delayMs = backoffDelayMs(SCHEDULE, failures, random);
      expect(delayMs).toBeGreaterThanOrEqual(1_000);
      expect(delayMs).toBeLessThanOrEqual(900_000);
    }),
  );
  expect(backoffDelayMs(SCHEDULE, 3, 0.999)).toBeLessThanOrEqual(8_000);
});

test('a quarantine doubles from a minute to a day', () => {
  expect([1, 2, 3, 99].map(quarantineDelayMs)).toEqual([60_000, 120_000, 240_000, 86_400_000]);
});
