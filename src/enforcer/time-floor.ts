// The trusted time floor: the latest moment that this host has reason to believe is past. Validity cannot
// be judged by a clock that is behind it, so nothing new is admitted then; what is enforced stays.
//
// It rises with every admission (to the clock, or to what its timestamps prove) and every accepted channel
// head, and begins with the release of this program, so that a host whose clock starts in 1970 is noticed
// before it has seen anything.
//
// SPDX-License-Identifier: Apache-2.0

import { RELEASED_AT } from '../core/product.ts';
import type { ClockPort } from '../ports.ts';
import type { EnforcerStore } from './store/store.ts';

/** What the floor is read from and compared with. */
interface TimeFacts {
  readonly store: EnforcerStore;
  readonly clock: Pick<ClockPort, 'nowMs'>;
}

/** The latest moment that this host has reason to believe is past. */
export function timeFloorOf({ store }: Pick<TimeFacts, 'store'>): number {
  return Math.max(store.read('timeFloorMs') ?? 0, Date.parse(RELEASED_AT));
}

/** The floor after something was verified now. It never falls. */
export function risenTime({ store, clock }: TimeFacts, signedMs = 0): number {
  return Math.max(clock.nowMs(), signedMs, store.read('timeFloorMs') ?? 0);
}
