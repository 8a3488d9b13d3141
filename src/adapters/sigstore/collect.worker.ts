// The worker of verifier.ts: for each task in, one answer out.
//
// SPDX-License-Identifier: Apache-2.0

import { parentPort } from 'node:worker_threads';
import type { ClientTask } from './client.ts';
import { collectEvidence, collectStatements } from './collect.ts';
import type { CollectTask } from './verifier.ts';

parentPort?.on('message', async (task: CollectTask | ClientTask) => {
  parentPort?.postMessage(await answer(task));
});

async function answer(task: CollectTask | ClientTask) {
  if (!('trust' in task)) {
    // Late: agent and enforcer never ask this, and need none of what it brings.
    const { collectClientFact } = await import('./client.ts');
    return collectClientFact(task);
  }
  return 'statements' in task
    ? collectStatements(task.statements, task.trust)
    : collectEvidence(task.bundle, task.trust);
}
