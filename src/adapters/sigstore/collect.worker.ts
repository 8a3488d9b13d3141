// The worker of verifier.ts: for each bundle in, one answer out.
//
// SPDX-License-Identifier: Apache-2.0

import { parentPort } from 'node:worker_threads';
import { collectEvidence } from './collect.ts';
import type { CollectTask } from './verifier.ts';

parentPort?.on('message', ({ bundle, trust }: CollectTask) => {
  parentPort?.postMessage(collectEvidence(bundle, trust));
});
