// SPDX-License-Identifier: Apache-2.0
// The guest kernels, by series: which suite of Debian carries each and how its packages begin.
//
// A version is never written down, because mirrors drop old ones: the newest package of the series in
// today's index is taken, and a series that is gone is skipped with that reason.

/** The series that set-up itself fetches; the tests and the demo need no other. */
export const DEFAULT_SERIES = '6.1';

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
  ['7.0', { suite: 'trixie-backports', image: 'linux-binary-7.0.', modules: 'linux-modules-7.0.' }],
  ['7.1', { suite: 'trixie-backports', image: 'linux-binary-7.1.', modules: 'linux-modules-7.1.' }],
  ['7.2', { suite: 'trixie-backports', image: 'linux-binary-7.2.', modules: 'linux-modules-7.2.' }],
  ['7.3', { suite: 'trixie-backports', image: 'linux-binary-7.3.', modules: 'linux-modules-7.3.' }],
]);
