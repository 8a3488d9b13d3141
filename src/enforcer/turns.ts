// One change at a time. A change that throws is a bug; it reaches its caller and not the next one.
//
// SPDX-License-Identifier: Apache-2.0

/** A queue of changes. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a change after all that were asked for before. */
  take<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#last.then(change, change);
    this.#last = next;
    return next;
  }
}
