// What an operator must know until this process ends: bounded, each once, newest last.
//
// SPDX-License-Identifier: Apache-2.0

import type { Failure } from '../core/result.ts';

const ALERTS_MAX = 32;

/** Collects alerts and tells each to a listener the first time. */
export class Alerts {
  #list: readonly Failure[] = [];
  readonly #tell: (alert: Failure) => void;

  constructor(tell: (alert: Failure) => void) {
    this.#tell = tell;
  }

  /** Adds one; the same code with the same message is one alert. */
  raise(alert: Failure): void {
    const known = this.#list.some((it) => it.code === alert.code && it.message === alert.message);
    if (known) return;
    this.#list = [...this.#list, alert].slice(-ALERTS_MAX);
    this.#tell(alert);
  }

  /** All of them. */
  list(): readonly Failure[] {
    return this.#list;
  }

  /** Something is in order again. */
  clear(code: Failure['code']): void {
    this.#list = this.#list.filter((it) => it.code !== code);
  }
}
