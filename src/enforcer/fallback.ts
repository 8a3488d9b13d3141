// The way back: last-known-good, its predecessor, older confirmed bundles, the baseline. A generation
// that is still pinned needs one update and nothing else; one that is gone is built again from stored
// evidence. Every step that fails is an alert, and the next one is tried: there is always something
// in force.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { KernelProgram } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { MayLeaveOut } from '../core/image/gaps.ts';
import type { SelfPaths } from '../core/policy/baseline.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { AdmissionOptions } from './admission.ts';
import type { Alerts } from './alerts.ts';
import { isCanaryComplete, prepareCanary } from './canary.ts';
import { type CompiledGeneration, compileGeneration } from './compile-generation.ts';
import { findDistrust } from './distrust.ts';
import type { Generations } from './generations.ts';
import { ANY_PATH, tellLeftOut } from './left-out.ts';
import type { MountWatch } from './mount-watch.ts';
import { replay } from './replay.ts';
import type { ResolverOptions } from './resolver.ts';
import { fitsSelf } from './self-protection.ts';
import type { SourceOptions, Sources } from './sources.ts';

/** What building a generation needs. */
export interface BuildOptions {
  /** Of the main source; what is of the host is the same for all. */
  readonly admission: AdmissionOptions;
  readonly sources: Sources;
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

/** A bundle with its rules. */
export interface Part {
  readonly source: SourceOptions;
  readonly digest: Digest;
  readonly ir: PolicyIr;
}

/** Compiles rules for this host and makes them current; `changed` is the bundle that is new. */
export function build(
  parts: readonly Part[],
  changed: Digest | null,
  mayLeaveOut: MayLeaveOut,
  options: BuildOptions,
): Result<GenerationRow> {
  const { admission, generations, canaryBase, bootId } = options;
  const canaryDir = prepareCanary(canaryBase, bootId, admission.store);
  if (!canaryDir.ok) return canaryDir;
  const compiled = compileWatched(parts, canaryDir.value, mayLeaveOut, options);
  if (!compiled.ok) return compiled;
  admission.step('compiled');
  const content = parts.map((it) => it.digest);
  const row = generations.bringUp({ content, changed }, canaryDir.value, compiled.value);
  if (row.ok) tellLeftOut(row.value.leftOut, compiled.value.gaps, options.alerts);
  return row;
}

/** Compiles, and remembers which mounts the paths were resolved with, and what they lack. */
export function compileWatched(
  parts: readonly Part[],
  canaryDir: string,
  mayLeaveOut: MayLeaveOut,
  options: BuildOptions,
): Result<CompiledGeneration> {
  const mounts = options.watch.take();
  const compiled = compileParts(parts, canaryDir, mayLeaveOut, options);
  if (!compiled.ok) return compiled;
  const { paths, gaps } = compiled.value;
  options.watch.note(paths, mounts, gaps);
  return compiled;
}

function compileParts(
  parts: readonly Part[],
  canaryDir: string,
  mayLeaveOut: MayLeaveOut,
  options: BuildOptions,
): Result<CompiledGeneration> {
  return compileGeneration(
    parts.map(({ source, ir }) => ({ source: source.name, ir })),
    {
      canaryDir,
      self: options.self(),
      programs: options.programs(),
      resolver: options.resolver,
    },
    mayLeaveOut,
  );
}

/** The first source with whose rules the ones before it cannot be compiled any more; null when all can. */
export function findCulprit(
  parts: readonly Part[],
  mayLeaveOut: MayLeaveOut,
  options: BuildOptions,
): SourceOptions | null {
  const canaryDir = prepareCanary(options.canaryBase, options.bootId, options.admission.store);
  if (!canaryDir.ok) return null;
  const at = parts.findIndex(
    (_, index) =>
      !compileParts(parts.slice(0, index + 1), canaryDir.value, mayLeaveOut, options).ok,
  );
  return parts[at]?.source ?? null;
}

/** Verifies stored bundles again and reads their rules; the first that fails is told with its source. */
export async function replayAll(
  content: readonly Digest[],
  options: Pick<BuildOptions, 'sources' | 'alerts'>,
): Promise<Blamed<readonly Part[]>> {
  const parts: Part[] = [];
  for (const digest of content) {
    const source = options.sources.holding(digest);
    const replayed = await replay(digest, source);
    if (!replayed.ok) return { ...replayed, source };
    if (replayed.value.concern !== null) options.alerts.raise(replayed.value.concern);
    parts.push({ source, digest, ir: replayed.value.ir });
  }
  return ok(parts);
}

/** A result that says whose fault it is; null: of no source by itself. */
export type Blamed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Failure; readonly source: SourceOptions | null };

/** Builds what was confirmed here again, from its evidence. */
export async function rebuild(
  content: readonly Digest[],
  options: BuildOptions,
): Promise<Blamed<GenerationRow>> {
  const parts = await replayAll(content, options);
  if (!parts.ok) return parts;
  const built = build(parts.value, null, ANY_PATH, options);
  if (!built.ok) return { ...built, source: findCulprit(parts.value, ANY_PATH, options) };
  return blameNobody(confirmAgain(built.value, options));
}

/** The content was confirmed before: the row says so, and no pointer moves that there is. */
export function confirmAgain(
  row: GenerationRow,
  { sources }: Pick<BuildOptions, 'sources'>,
): Result<GenerationRow> {
  for (const digest of row.content) {
    const { store } = sources.holding(digest);
    const confirmed = store.confirm(row.generation, store.read('lastKnownGood') ?? digest);
    if (!confirmed.ok) return confirmed;
  }
  return ok({ ...row, confirmed: row.content.length > 0 });
}

function blameNobody<T>(result: Result<T>): Blamed<T> {
  return result.ok ? result : { ...result, source: null };
}

/**
 * Brings the best that may be in force into force; `without` is what must not come back. Each source goes
 * back along its own chain: what fails for one leaves the others where they are.
 */
export async function fallBack(
  without: readonly Digest[],
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  let chains = options.sources.all.map((source) => ({ source, chain: chainOf(source, without) }));
  for (;;) {
    const content = chains.flatMap(({ chain }) => chain.slice(0, 1));
    const row = await bringBack(content, options);
    if (row.ok) return row;
    if (content.length === 0) return stopLoudly(row.error, options);
    options.alerts.raise(row.error);
    // Nobody's fault is everybody's: there is an end to going back.
    chains = chains.map(({ source, chain }) => ({
      source,
      chain: row.source === null || row.source === source ? chain.slice(1) : chain,
    }));
  }
}

function chainOf({ store }: SourceOptions, without: readonly Digest[]): readonly Digest[] {
  const wanted = [store.read('lastKnownGood'), store.read('previous')];
  const chain = new Set([...wanted, ...store.confirmedDigests()]);
  return [...chain].filter((it): it is Digest => it !== null && !without.includes(it));
}

function stopLoudly(error: Failure, { alerts }: BuildOptions): Result<never> {
  const stop = failure('restore/failed', 'not even the baseline could be brought into force', {
    causes: [`${error.code}: ${error.message}`, ...error.causes],
    hints: ['what the kernel had before stays in force; see the other alerts'],
  });
  alerts.raise(stop);
  return err(stop);
}

async function bringBack(
  content: readonly Digest[],
  options: BuildOptions,
): Promise<Blamed<GenerationRow>> {
  const pinned = options.generations.pinned(content);
  // Without its canaries a generation could not be proven any more.
  const fits = pinned !== null && fitsSelf(pinned.rules, options.self());
  if (fits && isCanaryComplete(pinned.canaryDir)) {
    // A bank that is still there was filled under the trust policy of its time.
    const [distrusted] = await findDistrust(content, options);
    if (distrusted !== undefined) return { ok: false, ...distrusted };
    const committed = options.generations.commit(pinned);
    options.watch.forget(); // it was resolved in another time
    if (committed.ok) {
      tellLeftOut(committed.value.leftOut, null, options.alerts);
      return committed;
    }
    options.alerts.raise(committed.error);
  }
  return rebuild(content, options);
}
