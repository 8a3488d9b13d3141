// What a case of the guest suite is. An id names one kernel case of the file-enforcement list
// (test/vm/ids.ts): a way to reach, change, execute or rename a protected object, and what must come of it.
//
// Each case is played three times, in a directory of its own: protected in mode enforce, protected in mode
// audit, and not protected at all. The last is the benign control: what it answers is what audit must
// answer too. `$D` stands for the case's directory. Identity and aliasing cases are played again, in further
// directories, with dropped caches, after unmounting and mounting, and after a reboot.
//
// To add a case, put it into the table of its kind; a kind that is new gets a file beside this one and a
// line in all.ts.
//
// SPDX-License-Identifier: Apache-2.0

import type { Operation } from '../../../src/core/policy/document.ts';

/**
 * D: denied with EACCES, one event, counter +1. A: allowed, no event. X: allowed, no event, and that is a
 * declared limit of the bypass catalogue.
 */
export type Expected = 'D' | 'A' | 'X';

/** Where the directory of a case is; see places.ts. */
export type Place = 'ext4' | 'folding' | 'tmpfs' | 'xfs' | 'btrfs' | 'squashfs' | 'erofs';

/** The kernel that a suite runs on, such as [6, 12]. */
export type KernelVersion = readonly [major: number, minor: number];

/** One way to a file, tried once in each mode. */
export interface Attempt {
  /** Name of an attempt of test/vm/op and its arguments. */
  readonly run: readonly string[];
  readonly expect: Expected;
  /** `exempt`: by the exempt program; `alice`: by uid 1000; default: by root, not exempt. */
  readonly as?: 'exempt' | 'alice';
  /** Control group that it is made in; made when missing. */
  readonly within?: string;
  /** Program that makes it, a copy of op (may begin with `$D`); default by `as`. */
  readonly by?: string;
  /** Would-deny events in audit, where the call goes on and is judged again; default 1. */
  readonly audits?: number;
  /** It tries again and again: one event or more. */
  readonly many?: true;
  /** Shell lines right before it, as root, by programs that no rule concerns. */
  readonly before?: string;
}

/** A kernel on which a case behaves in another way that the documents declare. */
export interface Difference {
  readonly when: (kernel: KernelVersion) => boolean;
  /** What is different, in words for docs/kernel-matrix.md. */
  readonly text: string;
  /** What is expected there; none: the case cannot run there. */
  readonly attempts?: readonly Attempt[];
}

/** One row of the case table. */
export interface Case {
  /** Number in the list, with a letter where an id needs more than one arrangement. */
  readonly id: string;
  readonly title: string;
  /** Shell lines that lay out `$D` before the policy is activated. */
  readonly setup: string;
  /** Shell lines that mount something on `$D/...`: after `setup`, and again after a reboot. */
  readonly attach?: string;
  /** Takes back what `attach` did. */
  readonly detach?: string;
  readonly protect: readonly { readonly path?: string; readonly tree?: string }[];
  /** `all`: all but mount and use, which have cases of their own. */
  readonly deny: readonly Operation[] | 'all';
  readonly exemptUid?: number;
  /** Further exemptions, as YAML; `$D` is that of the variant `plain`. */
  readonly except?: readonly string[];
  /** The rule holds only inside {@link SCOPE_UNIT}. */
  readonly scoped?: true;
  readonly attempts: readonly Attempt[];
  /** ext4 unless told. */
  readonly place?: Place;
  /** What it mounts besides is a module of Debian's kernels. */
  readonly mountsModule?: true;
  /** About identity or aliasing: played in every variant. */
  readonly everyVariant?: boolean;
  /** Part of the smoke set, which `make test` plays on kernels other than the first. */
  readonly smoke?: true;
  readonly differences?: readonly Difference[];
}

/** The unit that scoped rules are about. */
export const SCOPE_UNIT = 'inside.service';

/** A file below `$D`, and the rule on it that most cases have. */
export const SECRET = 'echo secret > $D/secret';
export const secret = [{ path: '$D/secret' }];

/** Denied, one event. */
export const D = (...run: string[]): Attempt => ({ run, expect: 'D' });
/** Denied at the first act; in audit each act of the call is told: create or truncate, then open. */
export const D2 = (...run: string[]): Attempt => ({ run, expect: 'D', audits: 2 });
/** Allowed. */
export const A = (...run: string[]): Attempt => ({ run, expect: 'A' });
/** Allowed, as the bypass catalogue declares. */
export const X = (...run: string[]): Attempt => ({ run, expect: 'X' });
/** Allowed to the exempt program. */
export const exempt = (...run: string[]): Attempt => ({ run, expect: 'A', as: 'exempt' });

/** Whether a kernel is of a series or newer. */
export function isFrom(kernel: KernelVersion, major: number, minor: number): boolean {
  return kernel[0] > major || (kernel[0] === major && kernel[1] >= minor);
}
