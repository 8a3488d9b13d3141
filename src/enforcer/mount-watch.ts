// Whether what is mounted at, above and inside the paths of a generation is what it was resolved with.
// Level-triggered: the mounts of now are compared, whoever changed them and however.
//
// Deliberately absent: mounts that only other namespaces have. They show their content to those alone, and
// a file of a protected tree that is bound there is covered by its own directories.
//
// SPDX-License-Identifier: Apache-2.0

import type { Result } from '../core/result.ts';
import type { Mount } from './mounts.ts';

/** Remembers the mounts of a resolution and finds the first path that they changed for. */
export class MountWatch {
  readonly #mounts: () => Result<readonly Mount[]>;
  #known: ReadonlyMap<string, string> | null = null;

  constructor(mounts: () => Result<readonly Mount[]>) {
    this.#mounts = mounts;
  }

  /** The mounts of now, to be taken before paths are resolved. */
  take(): readonly Mount[] | null {
    const mounts = this.#mounts();
    return mounts.ok ? mounts.value : null;
  }

  /** Paths were resolved while these were the mounts. */
  note(paths: readonly string[], mounts: readonly Mount[] | null): void {
    this.#known =
      mounts === null ? null : new Map(paths.map((path) => [path, fingerprint(path, mounts)]));
  }

  /** Nobody knows what the generation in force was resolved with. */
  forget(): void {
    this.#known = null;
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
