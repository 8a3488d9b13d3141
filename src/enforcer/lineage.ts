// Which files an exempt program was earlier in this boot, as long as some process still runs them. An
// upgrade replaces the file; what was started before it goes on and must not lose its exemption when the
// next generation is made (LIVE-8).
//
// Invariants: only identities that this enforcer resolved for that very path count, never what a process
// says it is called; a file that nobody runs is forgotten; nothing is carried over a boot.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync } from 'node:fs';
import type { Identity } from '../core/image/resolution.ts';
import type { KernelPort } from './kernel-port.ts';
import type { EnforcerStore } from './store/store.ts';

/** What the lineage stands on. */
export interface LineageOptions {
  readonly store: Pick<EnforcerStore, 'read' | 'write'>;
  readonly bootId: string;
  /** Text of the identities of all files that run now. */
  readonly running: () => ReadonlySet<string>;
}

/** Remembers what programs were. */
export class Lineage {
  readonly #options: LineageOptions;

  constructor(options: LineageOptions) {
    this.#options = options;
  }

  /** The earlier files of a program that still run; remembers the present one. */
  earlier(path: string, now: Identity | null): readonly Identity[] {
    const { store, bootId, running } = this.#options;
    const known = store.read('programs');
    const files = known?.bootId === bootId ? known.files : {};
    const present = now === null ? null : toText(now);
    const before = (files[path] ?? []).filter((it) => it !== present);
    const alive = before.length === 0 ? new Set<string>() : running();
    const kept = before.filter((it) => alive.has(it));
    const next = present === null ? kept : [...kept, present];
    // What cannot be written is an exemption less after the next upgrade, and no hole.
    store.write({ programs: { bootId, files: { ...files, [path]: next } } });
    return kept.map(toIdentity);
  }
}

/** Asks the kernel what every process runs. */
export function runningPrograms(kernel: Pick<KernelPort, 'resolve'>): ReadonlySet<string> {
  const running = new Set<string>();
  for (const pid of listProcesses()) {
    const fact = kernel.resolve(`/proc/${pid}/exe`, true);
    if (fact.ok && fact.value !== null) running.add(toText(fact.value));
  }
  return running;
}

function listProcesses(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));
  } catch (cause) {
    // A rule may deny listing it.
    if (cause instanceof Error && 'syscall' in cause) return [];
    throw cause;
  }
}

/** Text that is equal exactly when the identities are. */
export function toText({ dev, ino, sub, gen }: Identity): string {
  return `${dev}:${ino}:${sub}:${gen}`;
}

function toIdentity(text: string): Identity {
  const [dev = '0', ino = '0', sub = '0', gen = '0'] = text.split(':');
  return { dev: Number(dev), ino: BigInt(ino), sub: BigInt(sub), gen: Number(gen) };
}
