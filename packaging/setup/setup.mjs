// SPDX-License-Identifier: Apache-2.0
// Makes a checkout ready: "make setup".
//
// Every step brings one thing, does nothing when it is there, and says so in one line. Downloads are kept
// outside the checkout (WARDER_LAB_CACHE), so that repeating any of this needs no network.
// Runs on any Node from 18, because it is what brings the pinned one.

import { prepareDebianPackages } from './debian-packages.mjs';
import { DEFAULT_SERIES } from './kernel-series.mjs';
import { fetchKernel, findKernel } from './kernels.mjs';
import { writeLaunchers } from './launchers.mjs';
import { buildNativeCode } from './native-code.mjs';
import { prepareNodePackages } from './node-packages.mjs';
import { checkPreconditions } from './preconditions.mjs';
import { runSteps } from './steps.mjs';
import { prepareTools } from './tools.mjs';

const refresh = process.env.WARDER_LAB_REFRESH === '1';

await runSteps([
  ['machine', checkPreconditions],
  ['Debian packages', prepareDebianPackages],
  ['npm packages and the pinned Node', prepareNodePackages],
  ['oras and cosign', prepareTools],
  [
    `guest kernel ${DEFAULT_SERIES}`,
    () => (findKernel(DEFAULT_SERIES) && !refresh ? false : fetchKernel(DEFAULT_SERIES).release),
  ],
  ['bpf/ and native/', buildNativeCode],
  ['bin/warder', writeLaunchers],
  // Imported late: it needs packages that the steps before it bring.
  [
    'guest image',
    async () => (await (await import('../guest/image.mjs')).prepareImage(DEFAULT_SERIES)).built,
  ],
]);
