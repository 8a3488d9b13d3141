// Runs one target until its budget ends. An input whose outcome was not seen before is kept and changed further;
// one that breaks what must hold, or takes too long, is a finding with its bytes.
//
// SPDX-License-Identifier: Apache-2.0

import { type Chance, mutate } from './mutate.ts';
import type { Target } from './target.ts';

/** One run may take this long; above it is a finding. */
const RUN_MS_MAX = 2000;
const KEPT_MAX = 400;

export interface Finding {
  readonly target: string;
  readonly why: string;
  readonly input: Uint8Array;
}

export interface Report {
  readonly target: string;
  readonly executions: number;
  /** Distinct outcomes: how far into the reader the inputs came. */
  readonly outcomes: number;
  readonly findings: readonly Finding[];
}

/** Fuzzes until `isOver` says so; it is asked with the number of executions. */
export async function fuzz(
  target: Target,
  chance: Chance,
  isOver: (executions: number) => boolean,
): Promise<Report> {
  const [first, ...more] = target.seeds;
  const kept: [Uint8Array, ...Uint8Array[]] = [first, ...more];
  const outcomes = new Set<string>();
  const findings: Finding[] = [];
  let executions = 0;
  const attempt = async (input: Uint8Array): Promise<void> => {
    executions += 1;
    const started = performance.now();
    let why = '';
    try {
      const said = target.run(input);
      // Only who answers later is waited for: most answer a hundred thousand times a minute.
      const outcome = typeof said === 'string' ? said : await said;
      if (!outcomes.has(outcome)) {
        outcomes.add(outcome);
        if (kept.length < KEPT_MAX) kept.push(input);
      }
    } catch (cause) {
      why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    }
    const tookMs = performance.now() - started;
    if (why === '' && tookMs > RUN_MS_MAX) why = `it took ${Math.round(tookMs)} ms`;
    if (why === '' || findings.some((it) => it.why === why)) return;
    findings.push({ target: target.name, why, input });
  };
  for (const seed of target.seeds) await attempt(seed);
  while (!isOver(executions)) {
    const input = chance.below(4) === 0 ? chance.pick(target.seeds) : chance.pick(kept);
    await attempt(mutate(input, kept, chance, target.form));
  }
  return { target: target.name, executions, outcomes: outcomes.size, findings };
}
