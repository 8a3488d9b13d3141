// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { systemClock } from './system-clock.ts';

test('a sleep ends at its time, at once when the signal is aborted before, and when it aborts', async () => {
  await systemClock().sleep(1);
  await systemClock().sleep(1_000_000, AbortSignal.abort());
  const stop = new AbortController();
  const slept = systemClock().sleep(Number.MAX_SAFE_INTEGER, stop.signal);
  stop.abort();
  await slept;
});

test('chance is in [0, 1) and time moves', () => {
  expect(systemClock().random()).toBeLessThan(1);
  expect(systemClock().nowMs()).toBeGreaterThan(Date.parse('2024-01-01'));
});
