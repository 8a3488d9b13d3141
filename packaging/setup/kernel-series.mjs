// SPDX-License-Identifier: Apache-2.0
// The guest kernels, by series: which suite of Debian carries each and how its packages begin.
//
// A version is never written down, because mirrors drop old ones: the newest package of the series in
// today's index is taken, and a series that is gone is skipped with that reason.

/** The series that set-up cannot do without: the tests and the demo run on it. */
export const DEFAULT_SERIES = '6.1';

/** The newest series that begins so is the one meant. */
export const NEWEST_MAJOR = '7';

/** Series on which `make test` tries the most important cases too, when Debian still carries them. */
export const SMOKE_SERIES = ['6.12', NEWEST_MAJOR];

/** Series on which `make kernels` runs everything. */
export const MATRIX_SERIES = [DEFAULT_SERIES, '6.12', '6.19', NEWEST_MAJOR];

/** A series that Warder must refuse. */
export const TOO_OLD_SERIES = '5.10';

/** How the name of every guest kernel package ends: Debian's configuration for virtual machines. */
export const FLAVOUR = '-cloud-amd64';

export const KERNEL_SERIES = new Map([
  // Too old for Warder (no bpf_loop): a target for its refusal.
  ['5.10', { suite: 'bullseye', image: 'linux-image-5.10.' }],
  ['6.1', { suite: 'bookworm', image: 'linux-image-6.1.' }],
  ['6.12', { suite: 'bookworm-backports', image: 'linux-image-6.12.' }],
  // Debian splits these: linux-image-* is empty, the kernel and its modules are packages of their own.
  [
    '6.19',
    { suite: 'trixie-backports', image: 'linux-binary-6.19.', modules: 'linux-modules-6.19.' },
  ],
]);

/** Where series of the newest major version are, whichever there are today. */
export const NEWEST_SOURCE = {
  suite: 'trixie-backports',
  image: 'linux-binary-',
  modules: 'linux-modules-',
};

/** Returns { suite, image, modules? } of a series, or null when nobody knows where to look for it. */
export function sourceOf(series) {
  const known = KERNEL_SERIES.get(series);
  if (known || !series.startsWith(`${NEWEST_MAJOR}.`)) return known ?? null;
  const { suite, image, modules } = NEWEST_SOURCE;
  return { suite, image: `${image}${series}.`, modules: `${modules}${series}.` };
}
