// Tells when events were lost. The kernel's count is exact; an alert says how many by now, once per rise.
//
// SPDX-License-Identifier: Apache-2.0

import { failure } from '../core/result.ts';
import type { Alerts } from './alerts.ts';

/** Remembers how many it has told. */
export class Losses {
  #told = 0;

  /** Takes the kernel's count. */
  note(dropped: number, alerts: Alerts): void {
    if (dropped > this.#told) {
      alerts.clear('host/events-lost');
      alerts.raise(
        failure('host/events-lost', `${dropped} events were lost since the programs loaded`),
      );
    }
    this.#told = dropped;
  }
}
