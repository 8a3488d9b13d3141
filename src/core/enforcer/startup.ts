// What a starting enforcer does: it asks the kernel what is committed and compares that with its own
// record. Level-triggered: the answer depends on the two facts, never on how the last process ended.
//
// Invariants: a committed generation that is known, intact, admitted and not held is kept and nothing is
// made again; one that is older than what was put in force last was put there by somebody else; whatever else is found converges to the last-known-good, and to the baseline after that.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { Mode } from '../policy/document.ts';
import type { SourcePosition } from '../result.ts';
import { BANKS, type Committed } from './kernel.ts';

/** One rule of a generation, by its bit: what an event is explained with. */
export interface RuleLine {
  readonly id: string;
  readonly mode: Mode;
  readonly reason: string;
  readonly origin: SourcePosition;
}

/** A generation as the store knows it. */
export interface GenerationRow {
  readonly generation: number;
  /** A bundle of each source that has one, in the order of the sources; empty is the baseline alone. */
  readonly content: readonly Digest[];
  /** The bundle that it was made for; null when it brings nothing new. */
  readonly changed: Digest | null;
  readonly bank: number;
  readonly imageDigest: Digest;
  /** Of the header and the tables, as the kernel answered to the commit; null when it was not recorded. */
  readonly mapIds: readonly number[] | null;
  readonly bootId: string;
  readonly canaryDir: string;
  readonly rules: readonly RuleLine[];
  readonly demoted: readonly string[];
  /** Policy paths that could not be resolved when it was made, and are not in it or not whole (LIVE-11). */
  readonly leftOut: readonly string[];
  /** Programs that were attached when it was made: it was compiled for them. */
  readonly programs: readonly string[];
  readonly committedAt: string | null;
  readonly confirmed: boolean;
}

/** What was found at start. */
export interface StartupFacts {
  readonly committed: Committed | null;
  /** The row of the committed generation. */
  readonly row: GenerationRow | null;
  readonly bootId: string;
  /** Bundles that were rolled away from. */
  readonly held: readonly Digest[];
  /** The generation that was put in force last in this boot; null before the first. */
  readonly recorded: number | null;
  /**
   * Its canary objects are all there, it closes what must be closed to other processes, and the kernel
   * has the maps that were committed with what was filled into them.
   */
  readonly isComplete: boolean;
}

export type StartupPlan =
  /** Keep what is enforced. */
  | { readonly kind: 'adopt'; readonly row: GenerationRow }
  /** Keep the content, in a new generation that is complete and has maps of its own. */
  | { readonly kind: 'rebuild'; readonly row: GenerationRow }
  /** Last-known-good, older confirmed ones, baseline; `why` is null when that is no surprise. */
  | { readonly kind: 'fall-back'; readonly why: 'unknown-generation' | 'held' | null };

/** Decides what a starting enforcer does. */
export function planStartup(facts: StartupFacts): StartupPlan {
  const { committed, row } = facts;
  if (committed === null) return { kind: 'fall-back', why: null };
  if (row === null || !isSame(row, committed, facts.bootId)) {
    return { kind: 'fall-back', why: 'unknown-generation' };
  }
  // Only a newer one can be what a process committed that died before it could say so.
  if (facts.recorded !== null && committed.generation < facts.recorded) {
    return { kind: 'fall-back', why: 'unknown-generation' };
  }
  // A rollback that was recorded and not carried out.
  if (row.content.some((it) => facts.held.includes(it))) {
    return { kind: 'fall-back', why: 'held' };
  }
  return facts.isComplete ? { kind: 'adopt', row } : { kind: 'rebuild', row };
}

/** Does a generation wait for the confirmation of what it brought? */
export function isPending(row: GenerationRow | null): row is GenerationRow & { changed: Digest } {
  return row !== null && !row.confirmed && row.changed !== null;
}

/** Is this row what the kernel has? Number and place could coincide; the digest cannot. */
export function isSame(row: GenerationRow, committed: Committed, bootId: string): boolean {
  return (
    row.bootId === bootId &&
    row.generation === committed.generation &&
    row.bank === committed.bank &&
    row.imageDigest === committed.imageDigest
  );
}

/** A bank to fill: not one that must stay, otherwise the one that was used longest ago. */
export function chooseBank(keep: ReadonlySet<number>, ofBoot: readonly GenerationRow[]): number {
  const banks = Array.from({ length: BANKS }, (_, bank) => bank).filter((it) => !keep.has(it));
  const lastUse = (bank: number): number => ofBoot.find((it) => it.bank === bank)?.generation ?? 0;
  return banks.reduce((best, it) => (lastUse(it) < lastUse(best) ? it : best));
}
