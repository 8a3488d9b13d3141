// What the enforcer finds out about policy paths on this host, as data. Facts only: what they mean for
// the kernel's tables is in build.ts. Identities are valid for one boot and never come from stat().
//
// SPDX-License-Identifier: Apache-2.0

import { CANARY_RULE } from '../policy/baseline.ts';
import type { PolicyIr } from '../policy/ir.ts';
import { compareBytes } from '../policy/text.ts';
import type { Failure } from '../result.ts';

/** `struct wd_identity` of bpf/include/abi.h: what a file is, whatever it is called. */
export interface Identity {
  readonly ino: bigint;
  readonly sub: bigint;
  readonly dev: number;
  readonly gen: number;
}

/** One directory entry on the way from a policy path to what it leads to. */
export interface NameFact {
  /** Identities of the parent directory, its parent, ... up to `/`, mounts crossed; never empty. */
  readonly directories: readonly [Identity, ...Identity[]];
  /** Basename as the filesystem has it: 1 to 255 bytes, no zero, no slash. */
  readonly name: Uint8Array;
  /** What the name has now (a symlink: the link itself); null when there is no such entry. */
  readonly target: Identity | null;
}

/** A policy path on this host. */
export interface PathFound {
  readonly kind: 'found';
  /**
   * The policy path's own name (intermediate symlinks resolved), then, as long as a name is a symlink,
   * the name that it points to. Only the last target is not a symlink, or is null.
   */
  readonly names: readonly [NameFact, ...NameFact[]];
  /** Regular files with more than one link inside (asked for by `scan`); else empty. */
  readonly linked: readonly Identity[];
  /** Root directories of filesystems mounted inside (asked for by `scan`); else empty. */
  readonly mountRoots: readonly Identity[];
  /** fs-verity digest of what the last name leads to (asked for by `measure`); else null. */
  readonly verity: string | null;
  /** Files that the name led to in earlier generations of this boot and that still run. */
  readonly earlier: readonly Identity[];
  /** Why `linked`, `mountRoots` or `verity` are empty although they were asked for; else null. */
  readonly unknown: Failure | null;
}

/** A directory on the way does not exist, so the name has no parent to be looked up in. */
export interface ParentMissing {
  readonly kind: 'parent-missing';
  /** The first directory that is missing. */
  readonly missing: string;
}

/** Something is there, and what it is could not be found out. */
export interface Unresolved {
  readonly kind: 'unresolved';
  readonly failure: Failure;
}

/** By policy path; an entry for every path of {@link planResolution}. */
export type Resolution = ReadonlyMap<string, PathFound | ParentMissing | Unresolved>;

/** A path that the enforcer has to resolve. */
export interface ResolutionStep {
  readonly path: string;
  /** A tree: look inside for hard-linked files and mount roots. */
  readonly scan: boolean;
  /** An exempt program with a digest. */
  readonly measure: boolean;
  /** An exempt program, or one whose children are exempt. */
  readonly program: boolean;
}

/** Lists the paths that an image needs, each once, in byte order. */
export function planResolution(ir: PolicyIr): readonly ResolutionStep[] {
  const steps = new Map<string, ResolutionStep>();
  const add = (path: string, wish: Partial<Omit<ResolutionStep, 'path'>>) => {
    const step = steps.get(path);
    const scan = wish.scan === true || step?.scan === true;
    const measure = wish.measure === true || step?.measure === true;
    const program = wish.program === true || step?.program === true;
    steps.set(path, { path, scan, measure, program });
  };
  for (const rule of ir.rules) {
    for (const object of rule.objects) {
      // The canary's directory has only what the enforcer made there, and cannot be listed once it is
      // protected: not by anybody.
      add(object.path, { scan: object.kind === 'tree' && rule.id !== CANARY_RULE });
    }
    for (const { exe, digest, parentExe } of rule.except) {
      if (exe !== undefined) add(exe, { program: true, measure: digest !== undefined });
      if (parentExe !== undefined) add(parentExe, { program: true });
    }
  }
  return [...steps.values()].sort((a, b) => compareBytes(a.path, b.path));
}
