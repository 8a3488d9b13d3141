// Events as an endless iteration. A follower that does not keep up loses the oldest events it has not
// read; they stay in the history.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../core/enforcement.ts';
import { ok, type Result } from '../core/result.ts';
import type { EventPump } from './events.ts';

const WAITING_MAX = 1000;

/** Iterates over events from now on, until the signal aborts. */
export async function* followEvents(
  pump: EventPump,
  signal: AbortSignal,
): AsyncIterable<Result<DecisionEvent>> {
  const waiting: DecisionEvent[] = [];
  let wake = (): void => undefined;
  const unfollow = pump.follow((event) => {
    waiting.push(event);
    if (waiting.length > WAITING_MAX) waiting.shift();
    wake();
  });
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) {
        yield ok(next);
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unfollow();
  }
}
