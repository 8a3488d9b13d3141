// The worker of verifier.ts: for each bundle in, one answer out.
//
// SPDX-License-Identifier: Apache-2.0

import { parentPort } from 'node:worker_threads';
import { type ClientTask, collectClientFact } from './client.ts';
import { collectEvidence } from './collect.ts';
import type { CollectTask } from './verifier.ts';

parentPort?.on('message', (task: CollectTask | ClientTask) => {
  const answer =
    'trust' in task ? collectEvidence(task.bundle, task.trust) : collectClientFact(task);
  parentPort?.postMessage(answer);
});
