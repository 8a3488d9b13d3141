// Canary directories and the run itself. A directory is made while nothing protects it, gets its fixed
// objects, and is protected from the next commit on; from then on nothing can be made in it. So a
// directory whose objects are gone is never repaired: a new one is made beside it and comes into force
// with a new generation.
//
// SPDX-License-Identifier: Apache-2.0

import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CanaryReport } from '../core/enforcement.ts';
import { CANARY_OBJECTS, judgeCanaries, planCanaries } from '../core/enforcer/canary.ts';
import type { KernelProgram } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { EventPump } from './events.ts';
import type { KernelPort } from './kernel-port.ts';
import type { EnforcerStore } from './store/store.ts';

/** Are all objects of a canary directory there? */
export function isCanaryComplete(directory: string): boolean {
  const { file, directory: below } = CANARY_OBJECTS;
  try {
    return (
      lstatSync(join(directory, file)).isFile() && lstatSync(join(directory, below)).isDirectory()
    );
  } catch (cause) {
    // Whatever hides an object, no canary can use it.
    if (isSystemError(cause)) return false;
    throw cause;
  }
}

function isSystemError(cause: unknown): cause is Error {
  return cause instanceof Error && 'syscall' in cause;
}

/** The canary directory for the next generation: the last one made in this boot, or a new one. */
export function prepareCanary(base: string, bootId: string, store: EnforcerStore): Result<string> {
  const last = store.read('canary');
  const number = last !== null && last.bootId === bootId ? last.number : 0;
  if (number > 0) {
    const directory = canaryPath(base, bootId, number);
    if (isCanaryComplete(directory)) return ok(directory);
  }
  const next = { bootId, number: number + 1 };
  const recorded = store.write({ canary: next });
  if (!recorded.ok) return recorded;
  const directory = canaryPath(base, bootId, next.number);
  return makeCanary(directory);
}

// The generation in force may deny this process, too, and a disk may be full.
function makeCanary(directory: string): Result<string> {
  try {
    mkdirSync(join(directory, CANARY_OBJECTS.directory), { recursive: true, mode: 0o755 });
    writeFileSync(join(directory, CANARY_OBJECTS.file), 'canary\n', { mode: 0o755 });
    return ok(directory);
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    return err(
      failure('stage/canary-failed', `${directory} cannot be made`, { causes: [cause.message] }),
    );
  }
}

function canaryPath(base: string, bootId: string, number: number): string {
  return join(base, `${bootId.slice(0, 8)}-${number}`);
}

/** Runs the canaries against a generation. */
export function runCanaries(
  row: GenerationRow,
  programs: readonly KernelProgram[],
  kernel: KernelPort,
  pump: EventPump,
  at: string,
): Result<CanaryReport> {
  const cases = planCanaries(row.canaryDir, programs);
  // What is in the ring already is not of this run.
  const before = drainAndCount(kernel, pump);
  if (!before.ok) return before;
  const tried = kernel.tryAll(cases.map((it) => it.attempt));
  const after = drainAndCount(kernel, pump);
  if (!after.ok) return after;
  return ok(
    judgeCanaries(cases, {
      generation: row.generation,
      at,
      errnos: tried.ok ? tried.value : null,
      sightings: after.value.sightings,
      deniedRise: after.value.denied - before.value.denied,
    }),
  );
}

function drainAndCount(kernel: KernelPort, pump: EventPump) {
  const drained = pump.drain();
  if (!drained.ok) return drained;
  const counters = kernel.counters();
  if (!counters.ok) return counters;
  return ok({ sightings: drained.value, denied: counters.value.denied });
}
