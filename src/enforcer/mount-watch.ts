// Whether the paths of a generation have to be resolved again: what is mounted at, above and inside them is
// not what it was, or a directory has appeared that one of them lacked. Level-triggered: what is there now is
// compared, whoever changed it and however.
//
// Deliberately absent: mounts that only other namespaces have. They show their content to those alone, and
// a file of a protected tree that is bound there is covered by its own directories.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import type { Result } from '../core/result.ts';
import type { Mount } from './mounts.ts';

// What could not be resolved is verified and resolved as a whole again: not every second, while nothing moves.
const RETRY_MS = 30_000;

/** Remembers the mounts of a resolution and finds the first path that they changed for. */
export class MountWatch {
  readonly #mounts: () => Result<readonly Mount[]>;
  #known: ReadonlyMap<string, string> | null = null;
  #missing: readonly string[] = [];
  #failed: { readonly mounts: string; readonly atMs: number } | null = null;

  constructor(mounts: () => Result<readonly Mount[]>) {
    this.#mounts = mounts;
  }

  /** The mounts of now, to be taken before paths are resolved. */
  take(): readonly Mount[] | null {
    const mounts = this.#mounts();
    return mounts.ok ? mounts.value : null;
  }

  /** Paths were resolved while these were the mounts; some lacked these directories. */
  note(
    paths: readonly string[],
    mounts: readonly Mount[] | null,
    missing: readonly string[],
  ): void {
    this.#known =
      mounts === null ? null : new Map(paths.map((path) => [path, fingerprint(path, mounts)]));
    this.#missing = missing;
    this.#failed = null;
  }

  /** Paths could not be resolved again; what was resolved before stays. */
  noteFailure(nowMs: number): void {
    this.#failed = { mounts: fingerprint('/', this.take() ?? []), atMs: nowMs };
  }

  /** Nobody knows what the generation in force was resolved with. */
  forget(): void {
    this.#known = null;
    this.#missing = [];
    this.#failed = null;
  }

  /** Whether paths should be resolved again now. */
  isDue(nowMs: number): boolean {
    const isAsked =
      !this.isKnown || this.changed() !== null || this.#missing.some((it) => existsSync(it));
    if (!isAsked || this.#failed === null) return isAsked;
    const { mounts, atMs } = this.#failed;
    // The clock may be set back.
    const isLong = Math.abs(nowMs - atMs) >= RETRY_MS;
    return isLong || fingerprint('/', this.take() ?? []) !== mounts;
  }

  /** Whether {@link note} was called since {@link forget}. */
  get isKnown(): boolean {
    return this.#known !== null;
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
