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
  /** What goes through the open descriptor (`use`). */
  readonly access?: 'read' | 'write';
  readonly exe?: string;
  /** fs-verity digest of the executable's file. */
  readonly exeDigest?: string;
  /** Effective uid; default 0. */
  readonly uid?: number;
  /** Control group of the process in the unified hierarchy; default `/`. */
  readonly cgroup?: string;
  readonly parentExe?: string;
}

export interface Verdict {
  readonly verdict: 'allow' | 'audit' | 'deny';
  /** The smallest covering rule of the mode that decided; null for allow. */
  readonly rule: string | null;
  readonly reason: 'rule' | 'refer' | null;
  readonly errno: 'EACCES' | null;
}
