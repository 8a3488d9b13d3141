// What an operator must know until this process ends: bounded, each once, newest last.
//
// SPDX-License-Identifier: Apache-2.0

import { type Failure, failure } from '../core/result.ts';

const ALERTS_MAX = 32;

/** Collects alerts and tells each to a listener the first time. */
export class Alerts {
  #list: readonly Failure[] = [];
  readonly #tell: (alert: Failure) => void;

  constructor(tell: (alert: Failure) => void) {
    this.#tell = tell;
  }

  /** Adds one, and answers it; the same code with the same message is one alert. */
  raise(alert: Failure): Failure {
    const known = this.#list.some((it) => it.code === alert.code && it.message === alert.message);
    if (known) return alert;
    this.#list = [...this.#list, alert].slice(-ALERTS_MAX);
    this.#tell(alert);
    return alert;
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

/** The pins are gone and the kernel still has links: whoever holds one keeps its program attached. */
export function linksAlive(count: number): Failure {
  return failure(
    'host/links-alive',
    `${count} programs are still attached although their pins are gone`,
    {
      hints: [
        'bpftool link list names them; `bpftool link show -p` says which processes hold them',
        'end those processes, or reboot; pins outside of pinDir are removed by hand',
      ],
    },
  );
}
