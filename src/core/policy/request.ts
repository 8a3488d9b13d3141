// What is decided, in terms of paths: the model that policy tests, golden vectors and `explain` use.
// Paths are those of the filesystem itself (no symlinks left); aliases are expressed by `identity`.
//
// SPDX-License-Identifier: Apache-2.0

import type { Operation } from './document.ts';

export interface Request {
  readonly operation: Operation;
  /** The name through which the object is reached (for `create`: the new name). */
  readonly path: string;
  /** The protected name whose inode it is, when reached by another name (hard link); default `path`. */
  readonly identity?: string;
  /** Destination of a `rename` or `link`. */
  readonly to?: string;
  /** The destination exists and is replaced (`rename`). */
  readonly replaces?: boolean;
  readonly exe?: string;
  /** Effective uid; default 0. */
  readonly uid?: number;
}

export interface Verdict {
  readonly verdict: 'allow' | 'audit' | 'deny';
  /** The smallest covering rule of the mode that decided; null for allow. */
  readonly rule: string | null;
  readonly reason: 'rule' | 'refer' | null;
  readonly errno: 'EACCES' | null;
}
