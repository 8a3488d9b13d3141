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

// A pattern of further variants. None by default: after every case was played, the disk of the guest cannot
// yet be unmounted.
const PATTERN = new RegExp(process.env['WARDER_VARIANTS'] ?? '^plain$');

/** The variants that a run of this extent plays, in their order. */
export function variantsPlayed(extent: Extent): readonly Variant[] {
  return VARIANTS.filter((one) => one === 'plain' || (extent === 'full' && PATTERN.test(one)));
}

/** The words for a variant in the names of tests. */
export const VARIANT_WORDS: Readonly<Record<Variant, string>> = {
  plain: '',
  drop: ' with dropped caches',
  remount: ' after unmounting and mounting',
  reboot: ' after a reboot',
};

/** Everything, or the set that kernels other than the first get in `make test`. */
export type Extent = 'full' | 'smoke';

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
  const all = extent === 'full' ? CASES : CASES.filter(({ smoke }) => smoke);
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

function variantsOf(it: Case, extent: Extent): readonly Variant[] {
  if (it.everyVariant !== true) return ['plain'];
  return variantsPlayed(extent).filter(
    (one) => one === 'plain' || one === 'drop' || outlivesUnmount(placeOf(it)),
  );
}
