// Releases of kernels, as far as they are compared: MAJOR.MINOR. What follows in a release (stable updates, names
// of distributions, `-rc1`) says nothing of what the kernel offers, so a minimum cannot name it.
//
// SPDX-License-Identifier: Apache-2.0

/** The oldest kernel whose BPF LSM has what the programs need: bpf_loop. */
export const KERNEL_MIN = '6.1';

const MINIMUM = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/;
// Digits that a release goes on with are not cut: 6.123456 is no 6.12345.
const RELEASE = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})(?!\d)/;

/** Is this a minimum: two plain numbers, with no leading zero and nothing after them? */
export function isKernelMinimum(text: string): boolean {
  return MINIMUM.test(text);
}

/** Is a release (`uname -r`) at least this minimum? What cannot be read is not. */
export function isKernelAtLeast(release: string, minimum: string): boolean {
  const have = RELEASE.exec(release);
  const wanted = MINIMUM.exec(minimum);
  if (have === null || wanted === null) return false;
  const step = [1, 2].find((at) => have[at] !== wanted[at]);
  return step === undefined || Number(have[step]) > Number(wanted[step]);
}
