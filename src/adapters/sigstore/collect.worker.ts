// The worker of verifier.ts: for each task in, one answer out.
//
// SPDX-License-Identifier: Apache-2.0

import { parentPort } from 'node:worker_threads';
import { type ClientTask, collectClientFact } from './client.ts';
import { collectEvidence, collectStatements } from './collect.ts';
import type { CollectTask } from './verifier.ts';

parentPort?.on('message', (task: CollectTask | ClientTask) => {
  parentPort?.postMessage(answer(task));
});

function answer(task: CollectTask | ClientTask) {
  if (!('trust' in task)) return collectClientFact(task);
  return 'statements' in task
    ? collectStatements(task.statements, task.trust)
    : collectEvidence(task.bundle, task.trust);
}
