// SPDX-License-Identifier: Apache-2.0
// Fetches the guest kernels of every series that Debian still carries: "make kernels".
//
// A series that is gone is skipped with its reason, because the next one may still be there.

import { SetupError } from './errors.mjs';
import { KERNEL_SERIES } from './kernel-series.mjs';
import { fetchKernel, findKernel } from './kernels.mjs';
import { withLock } from './lock.mjs';
import { LAB_CACHE } from './paths.mjs';
import { runSteps } from './steps.mjs';

const wanted = process.argv.length > 2 ? process.argv.slice(2) : [...KERNEL_SERIES.keys()];

await runSteps(
  wanted.map((series) => [
    `guest kernel ${series}`,
    () => withLock(LAB_CACHE, () => fetchOrSkip(series)),
  ]),
);

function fetchOrSkip(series) {
  if (findKernel(series) && process.env.WARDER_LAB_REFRESH !== '1') return false;
  try {
    return fetchKernel(series).release;
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    return `skipped: ${cause.message.split('\n', 1)[0]}`;
  }
}
