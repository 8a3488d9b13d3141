// A poll now, asked for by an operator (SIGHUP, wired by the composition root). A request that arrives
// while a poll runs is kept and served right after it; several are one.
//
// SPDX-License-Identifier: Apache-2.0

import type { PollRequests } from './daemon.ts';

/** Makes a place to ask for polls. */
export function createPollRequests(): PollRequests & { readonly request: () => void } {
  let asked = false;
  let wake: (() => void) | null = null;
  return {
    request: () => {
      asked = true;
      wake?.();
    },
    next: (signal) =>
      new Promise((resolve) => {
        const done = (): void => {
          signal.removeEventListener('abort', done);
          wake = null;
          // Taken only by the wait that it ends.
          if (!signal.aborted) asked = false;
          resolve();
        };
        if (asked || signal.aborted) return done();
        wake = done;
        signal.addEventListener('abort', done, { once: true });
      }),
  };
}
