// Time and chance of the host: the only place besides tests where either is read.
//
// SPDX-License-Identifier: Apache-2.0

import type { ClockPort } from '../../ports.ts';

// The longest delay of a timer; a longer wait is made of several.
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The host's clock. */
export function systemClock(): ClockPort {
  return CLOCK;
}

const CLOCK: ClockPort = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    for (let left = ms; left > 0 && !signal?.aborted; left -= TIMER_MS_MAX) {
      await once(Math.min(left, TIMER_MS_MAX), signal);
    }
  },
};

function once(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener('abort', over, { once: true });
  });
}
