// Records of what this process decided. An acceptance that cannot be written down is none: the answer is
// the failure, before the floor rises. A refusal stands without its record, and says that it has none.
//
// SPDX-License-Identifier: Apache-2.0

import type { Decided, Privileged } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import { MAIN_SOURCE } from '../core/policy/sources.ts';
import { err, type Failure, failure, invariant, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { type Draft, makeRecord } from '../decision/record.ts';
import type { EnforcerStore } from './store/store.ts';
import { timeFloorOf } from './time-floor.ts';

/** Where records are written, and by what the decision was made. */
interface Recording {
  readonly store: EnforcerStore;
  readonly trust: TrustPolicy;
  readonly version: string;
}

/** Writes a decision down. */
export function recordDecision(
  draft: Omit<Draft, 'by' | 'program' | 'trust'>,
  { store, trust, version }: Recording,
): Result<Digest | null> {
  const made = makeRecord({ ...draft, by: 'enforcer', program: version, trust });
  const written = store.records.write(made, neededOf(store));
  if (written.ok) return written;
  if (draft.decided.failures.length === 0) return written;
  const refused = refuseAll(draft.decided).error;
  const causes = [...refused.causes, `without a record: ${written.error.message}`];
  return err({ ...refused, causes });
}

/** Bundles whose records stay whatever comes: what may be in force or return. */
function neededOf(store: EnforcerStore): readonly (Digest | null)[] {
  const names = (store.read('sources') ?? []).map((it) => it.name);
  return [MAIN_SOURCE, ...names].flatMap((name) => {
    const view = store.of(name);
    return [view.read('lastKnownGood'), view.read('previous'), view.read('floor')?.digest ?? null];
  });
}

/** What the enforcer goes by besides the verdict. */
export function privilegedOf({ store }: Pick<Recording, 'store'>): Privileged {
  return {
    timeFloorMs: timeFloorOf({ store }),
    isLost: store.read('lost') !== null,
    hold: store.read('hold'),
    lastKnownGood: store.read('lastKnownGood'),
  };
}

/** Measures a decision from here on. */
export function startMeasuring(): {
  readonly stopwatch: () => number;
  readonly end: () => { readonly durationMs: number };
} {
  const stopwatch = () => Math.round(performance.now() * 1000) / 1000;
  const from = stopwatch();
  return { stopwatch, end: () => ({ durationMs: stopwatch() - from }) };
}

/** A refusal as one failure that carries all: the first decides the code. */
export function refuseAll({ failures }: Decided): { readonly ok: false; readonly error: Failure } {
  const [first, ...others] = failures;
  invariant(first !== undefined, 'a refusal has a reason');
  const rest = others.map((it) => `${it.code}: ${it.message}`);
  const { code, message, hints } = first;
  return err(failure(code, message, { causes: [...first.causes, ...rest], hints }));
}
