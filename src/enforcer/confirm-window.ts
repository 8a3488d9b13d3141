// The time in which somebody must confirm a new generation. When the agent dies after an activation,
// this is what brings the last-known-good back.
//
// SPDX-License-Identifier: Apache-2.0

import type { ClockPort } from '../ports.ts';

/** At most one window is open. */
export class ConfirmWindow {
  readonly #clock: ClockPort;
  readonly #windowMs: number;
  #open: AbortController | null = null;

  constructor(clock: ClockPort, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** Opens a window, in place of an earlier one; `expired` runs when nobody cancelled it. */
  open(expired: () => Promise<unknown>): void {
    this.cancel();
    const own = new AbortController();
    this.#open = own;
    void this.#wait(own, expired);
  }

  /** Closes the window. */
  cancel(): void {
    this.#open?.abort();
    this.#open = null;
  }

  async #wait(own: AbortController, expired: () => Promise<unknown>): Promise<void> {
    await this.#clock.sleep(this.#windowMs, own.signal);
    if (!own.signal.aborted) await expired();
  }
}
