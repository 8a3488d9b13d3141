// The way back: last-known-good, its predecessor, older confirmed bundles, the baseline. A generation
// that is still pinned needs one update and nothing else; one that is gone is built again from stored
// evidence. Every step that fails is an alert, and the next one is tried: there is always something
// in force.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { KernelProgram } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { SelfPaths } from '../core/policy/baseline.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { type AdmissionOptions, replay } from './admission.ts';
import type { Alerts } from './alerts.ts';
import { isCanaryComplete, prepareCanary } from './canary.ts';
import { type CompiledGeneration, compileGeneration } from './compile-generation.ts';
import { findDistrust } from './distrust.ts';
import type { Generations } from './generations.ts';
import type { MountWatch } from './mount-watch.ts';
import type { ResolverOptions } from './resolver.ts';
import { fitsSelf } from './self-protection.ts';

/** What building a generation needs. */
export interface BuildOptions {
  readonly admission: AdmissionOptions;
  readonly generations: Generations;
  readonly resolver: ResolverOptions;
  readonly programs: () => readonly KernelProgram[];
  /** What is closed to other processes; null while protection is off. */
  readonly self: () => SelfPaths | null;
  readonly alerts: Alerts;
  readonly canaryBase: string;
  readonly watch: MountWatch;
  readonly bootId: string;
}

const NO_RULES: PolicyIr = { irVersion: 1, rules: [] };

/** Compiles rules for this host and makes them current. */
export function build(
  digest: Digest | null,
  ir: PolicyIr,
  options: BuildOptions,
): Result<GenerationRow> {
  const { admission, generations, canaryBase, bootId } = options;
  const canaryDir = prepareCanary(canaryBase, bootId, admission.store);
  if (!canaryDir.ok) return canaryDir;
  const compiled = compileWatched(ir, canaryDir.value, options);
  if (!compiled.ok) return compiled;
  admission.step('compiled');
  return generations.bringUp(digest, canaryDir.value, compiled.value);
}

/** Compiles, and remembers which mounts the paths were resolved with. */
export function compileWatched(
  ir: PolicyIr,
  canaryDir: string,
  options: BuildOptions,
): Result<CompiledGeneration> {
  const mounts = options.watch.take();
  const compiled = compileGeneration(ir, {
    canaryDir,
    self: options.self(),
    programs: options.programs(),
    resolver: options.resolver,
  });
  if (compiled.ok) options.watch.note(compiled.value.paths, mounts);
  return compiled;
}

/** Builds a bundle that was confirmed here again, from its evidence. */
export async function rebuild(
  digest: Digest | null,
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  if (digest === null) return build(null, NO_RULES, options);
  const { store } = options.admission;
  const replayed = await replay(digest, options.admission);
  if (!replayed.ok) return replayed;
  if (replayed.value.distrusted !== null) options.alerts.raise(replayed.value.distrusted);
  const built = build(digest, replayed.value.ir, options);
  if (!built.ok) return built;
  // It was confirmed before; the pointers do not move.
  const confirmed = store.confirm(built.value.generation, store.read('lastKnownGood') ?? digest);
  return confirmed.ok ? ok({ ...built.value, confirmed: true }) : confirmed;
}

/** Brings the best that may be in force into force; `without` is what must not come back. */
export async function fallBack(
  without: readonly (Digest | null)[],
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  const { store } = options.admission;
  const wanted = [store.read('lastKnownGood'), store.read('previous')];
  const chain = new Set([...wanted, ...store.confirmedDigests()]);
  for (const digest of chain) {
    if (digest === null || without.includes(digest)) continue;
    const row = await bringBack(digest, options);
    if (row.ok) return row;
    options.alerts.raise(row.error);
  }
  const baseline = await bringBack(null, options);
  if (baseline.ok) return baseline;
  const stop = failure('restore/failed', 'not even the baseline could be brought into force', {
    causes: [`${baseline.error.code}: ${baseline.error.message}`, ...baseline.error.causes],
    hints: ['what the kernel had before stays in force; see the other alerts'],
  });
  options.alerts.raise(stop);
  return err(stop);
}

async function bringBack(
  digest: Digest | null,
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  const pinned = options.generations.pinned(digest);
  // Without its canaries a generation could not be proven any more.
  const fits = pinned !== null && fitsSelf(pinned.rules, options.self());
  if (fits && isCanaryComplete(pinned.canaryDir)) {
    // A bank that is still there was filled under the trust policy of its time.
    const distrusted = await findDistrust(digest, options);
    if (distrusted !== null) return err(distrusted);
    const committed = options.generations.commit(pinned);
    options.watch.forget(); // it was resolved in another time
    if (committed.ok) return committed;
    options.alerts.raise(committed.error);
  }
  return rebuild(digest, options);
}
