// The worker of verifier.ts: one bundle in, one answer out.
//
// SPDX-License-Identifier: Apache-2.0

import { parentPort, workerData } from 'node:worker_threads';
import { collectEvidence } from './collect.ts';
import type { CollectTask } from './verifier.ts';

const { bundle, trust } = workerData as CollectTask;
parentPort?.postMessage(collectEvidence(bundle, trust));
