// Whether the paths of a generation have to be resolved again: what is mounted at, above and inside them is
// not what it was, or a directory has appeared that one of them lacked. Level-triggered: what is there now is
// compared, whoever changed it and however.
//
// Deliberately absent: mounts that only other namespaces have. They show their content to those alone, and
// a file of a protected tree that is bound there is covered by its own directories.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import type { Gap } from '../core/image/gaps.ts';
import type { Result } from '../core/result.ts';
import type { Mount } from './mounts.ts';

// What could not be resolved is verified and resolved as a whole again: not every second, while nothing moves.
const RETRY_MS = 30_000;
// Nothing tells when a loop of links or a tree that is too large is gone, and looking may take long.
const LOOK_AGAIN_MS = 300_000;

/** A path that was left out; `missing` is the directory that it lacks, null for any other reason. */
type LeftOut = Pick<Gap, 'missing'>;

/** Remembers the mounts of a resolution and finds the first path that they changed for. */
export class MountWatch {
  readonly #mounts: () => Result<readonly Mount[]>;
  #known: ReadonlyMap<string, string> | null = null;
  #leftOut: readonly LeftOut[] = [];
  /** Since when nothing was tried; null until somebody asks. */
  #idleSinceMs: number | null = null;
  #failed: { readonly mounts: string; readonly atMs: number } | null = null;

  constructor(mounts: () => Result<readonly Mount[]>) {
    this.#mounts = mounts;
  }

  /** The mounts of now, to be taken before paths are resolved. */
  take(): readonly Mount[] | null {
    const mounts = this.#mounts();
    return mounts.ok ? mounts.value : null;
  }

  /** Paths were resolved while these were the mounts; some were left out. */
  note(
    paths: readonly string[],
    mounts: readonly Mount[] | null,
    leftOut: readonly LeftOut[],
  ): void {
    this.forget();
    this.#leftOut = leftOut;
    if (mounts !== null)
      this.#known = new Map(paths.map((path) => [path, fingerprint(path, mounts)]));
  }

  /** Paths could not be resolved again; what was resolved before stays. */
  noteFailure(nowMs: number): void {
    this.#failed = { mounts: fingerprint('/', this.take() ?? []), atMs: nowMs };
  }

  /** Nobody knows what the generation in force was resolved with. */
  forget(): void {
    this.#known = null;
    this.#leftOut = [];
    this.#idleSinceMs = null;
    this.#failed = null;
  }

  /** Whether paths should be resolved again now; `moved`: {@link changed} has just named one. */
  isDue(moved: boolean, nowMs: number): boolean {
    if (this.#failed === null) return moved || !this.isKnown || this.#mayBeBack(nowMs);
    // Also when all is as it was: what was told of the failure has to be taken back.
    const { mounts, atMs } = this.#failed;
    // The clock may be set back.
    const isLong = Math.abs(nowMs - atMs) >= RETRY_MS;
    return isLong || fingerprint('/', this.take() ?? []) !== mounts;
  }

  /** Whether {@link note} was called since {@link forget}. */
  get isKnown(): boolean {
    return this.#known !== null;
  }

  #mayBeBack(nowMs: number): boolean {
    this.#idleSinceMs ??= nowMs;
    const isLong = Math.abs(nowMs - this.#idleSinceMs) >= LOOK_AGAIN_MS;
    return this.#leftOut.some(({ missing }) => (missing === null ? isLong : existsSync(missing)));
  }

  /** A path that other mounts concern now; null when there is none. */
  changed(): string | null {
    const mounts = this.take();
    if (mounts === null || this.#known === null) return null;
    for (const [path, before] of this.#known) {
      if (fingerprint(path, mounts) !== before) return path;
    }
    return null;
  }
}

function fingerprint(path: string, mounts: readonly Mount[]): string {
  return mounts
    .filter(({ point }) => isWithin(point, path) || isWithin(path, point))
    .map(({ id, dev, root, point }) => `${id} ${dev} ${root} ${point}`)
    .sort()
    .join('\n');
}

function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
