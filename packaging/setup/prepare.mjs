// SPDX-License-Identifier: Apache-2.0
// The second half of set-up, on the pinned Node: tools, the guest, and what is built from the sources.

import { prepareImage } from '../guest/image.mjs';
import { SetupError } from './errors.mjs';
import { DEFAULT_SERIES, SMOKE_SERIES } from './kernel-series.mjs';
import { provideKernel } from './kernels.mjs';
import { writeLaunchers } from './launchers.mjs';
import { withLock } from './lock.mjs';
import { buildNativeCode } from './native-code.mjs';
import { LAB_CACHE } from './paths.mjs';
import { runSteps } from './steps.mjs';
import { prepareTools } from './tools.mjs';

await runSteps([
  ['bin/warder', writeLaunchers],
  // Checkouts share the cache, so these two wait for the set-up of another.
  ['oras and cosign', () => withLock(LAB_CACHE, prepareTools)],
  [`guest kernel ${DEFAULT_SERIES}`, () => withLock(LAB_CACHE, () => bring(DEFAULT_SERIES))],
  ...SMOKE_SERIES.map((series) => [
    `guest kernel ${series}`,
    () => withLock(LAB_CACHE, () => bringOrSkip(series)),
  ]),
  ['bpf/ and native/', buildNativeCode],
  ['guest image', async () => (await prepareImage(DEFAULT_SERIES)).built],
]);

function bring(series) {
  return provideKernel(series).fetched ?? false;
}

// A mirror may have dropped these; the tests that want them are then skipped with that reason.
function bringOrSkip(series) {
  try {
    return bring(series);
  } catch (cause) {
    if (!(cause instanceof SetupError)) throw cause;
    return `skipped: ${cause.message.split('\n', 1)[0]}`;
  }
}
