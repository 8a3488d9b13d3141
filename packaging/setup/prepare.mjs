// SPDX-License-Identifier: Apache-2.0
// The second half of set-up, on the pinned Node: tools, the guest, and what is built from the sources.

import { prepareImage } from '../guest/image.mjs';
import { DEFAULT_SERIES } from './kernel-series.mjs';
import { fetchKernel, findKernel, isIntact } from './kernels.mjs';
import { writeLaunchers } from './launchers.mjs';
import { withLock } from './lock.mjs';
import { buildNativeCode } from './native-code.mjs';
import { LAB_CACHE } from './paths.mjs';
import { runSteps } from './steps.mjs';
import { prepareTools } from './tools.mjs';

const refresh = process.env.WARDER_LAB_REFRESH === '1';

await runSteps([
  // Checkouts share the cache, so these two wait for the set-up of another.
  ['oras and cosign', () => withLock(LAB_CACHE, prepareTools)],
  [`guest kernel ${DEFAULT_SERIES}`, () => withLock(LAB_CACHE, bringKernel)],
  ['bpf/ and native/', buildNativeCode],
  ['bin/warder', writeLaunchers],
  ['guest image', async () => (await prepareImage(DEFAULT_SERIES)).built],
]);

function bringKernel() {
  const kernel = findKernel(DEFAULT_SERIES);
  if (kernel && isIntact(kernel) && !refresh) return false;
  return fetchKernel(DEFAULT_SERIES).release;
}
