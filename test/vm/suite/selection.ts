// Which cases a run plays, in which variants, and where each has its directory.
//
// SPDX-License-Identifier: Apache-2.0

import { CASES } from '../cases/all.ts';
import type { Attempt, Case, Difference, KernelVersion, Place } from '../cases/case.ts';
import { baseOf, isModule, outlivesUnmount } from '../places.ts';

export const MODES = ['enforce', 'audit', 'control'] as const;
export type PlayMode = (typeof MODES)[number];

/** What happens before a case is played: nothing, or what makes the kernel forget what it knew. */
export const VARIANTS = ['plain', 'drop', 'remount', 'reboot'] as const;
export type Variant = (typeof VARIANTS)[number];

/** The variants that a run plays, in their order. */
export function variantsPlayed(selected: readonly Selected[]): readonly Variant[] {
  return VARIANTS.filter((one) => selected.some(({ variants }) => variants.includes(one)));
}

/** The words for a variant in the names of tests. */
export const VARIANT_WORDS: Readonly<Record<Variant, string>> = {
  plain: '',
  drop: ' with dropped caches',
  remount: ' after unmounting and mounting',
  reboot: ' after a reboot',
};

/**
 * Every case once; the set that kernels other than the first get in `make test`; or what must hold although
 * the kernel forgot, which is played in all variants but the plain one.
 */
export type Extent = 'full' | 'smoke' | 'forgotten';

/** A case as it is played on one kernel. */
export interface Selected {
  readonly it: Case;
  readonly variants: readonly Variant[];
  readonly attempts: readonly Attempt[];
  /** How this kernel differs; without attempts it cannot run here. */
  readonly difference: Difference | null;
}

const NO_MODULES: Difference = {
  when: () => true,
  text: 'cannot run here: it needs a module, and Debian has dropped those of this kernel',
};

/** All cases, each with what this kernel makes of it. */
export function select(
  kernel: KernelVersion,
  hasModules: boolean,
  extent: Extent,
): readonly Selected[] {
  const all = CASES.filter((it) => isWanted(it, extent));
  // For whoever works on some of them: WARDER_CASES is a pattern of ids.
  const pattern = new RegExp(process.env['WARDER_CASES'] ?? '');
  const wanted = all.filter(({ id }) => pattern.test(id));
  return wanted.map((it) => {
    const isMissing = !hasModules && (it.mountsModule === true || isModule(placeOf(it)));
    const difference = isMissing
      ? NO_MODULES
      : (it.differences?.find(({ when }) => when(kernel)) ?? null);
    const attempts = difference === null ? it.attempts : (difference.attempts ?? []);
    return { it, variants: variantsOf(it, extent), attempts, difference };
  });
}

/** Whether a case runs on this kernel at all. */
export function isPlayed({ attempts }: Selected): boolean {
  return attempts.length > 0;
}

/** The places of the cases that are played. */
export function placesOf(selected: readonly Selected[]): ReadonlySet<Place> {
  return new Set(['ext4', ...selected.filter(isPlayed).map(({ it }) => placeOf(it))]);
}

/** Where a case is. */
export function placeOf(it: Case): Place {
  return it.place ?? 'ext4';
}

/** The directory of a case below the base of its place. */
export function insideOf(it: Case, mode: PlayMode, variant: Variant): string {
  return `${variant}/${mode}/${it.id}`;
}

/** Puts the directory of a case for `$D`. */
export function fill(text: string, it: Case, mode: PlayMode, variant: Variant): string {
  return text.replaceAll('$D', `${baseOf(placeOf(it))}/${insideOf(it, mode, variant)}`);
}

function isWanted({ smoke, everyVariant }: Case, extent: Extent): boolean {
  if (extent === 'smoke') return smoke === true;
  return extent === 'full' || everyVariant === true;
}

function variantsOf(it: Case, extent: Extent): readonly Variant[] {
  if (extent !== 'forgotten') return ['plain'];
  return outlivesUnmount(placeOf(it)) ? ['drop', 'remount', 'reboot'] : ['drop'];
}
