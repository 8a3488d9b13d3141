// VerifierPort over a worker thread with a hard deadline and a memory bound: a hostile bundle may cost
// the deadline, never the process. A worker that says nothing, dies or runs out of memory is a refusal.
// Deliberately absent: opinions (core/verify/judge.ts) and any network.
//
// SPDX-License-Identifier: Apache-2.0

import { Worker } from 'node:worker_threads';
import type { BundleBytes } from '../../core/bundle.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { Evidence } from '../../core/verify/evidence.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { VerifierPort } from '../../ports.ts';

/** What the worker is started with. */
export interface CollectTask {
  readonly bundle: BundleBytes;
  readonly trust: TrustPolicy;
}

interface VerifierOptions {
  /** The worker's file; a composition root that is bundled passes its own. */
  readonly worker?: URL;
  readonly timeoutMs?: number;
}

const HEAP_MEBIBYTES_MAX = 256;

/** Makes the verifier. Each call has a worker of its own, so nothing is carried from bundle to bundle. */
export function createVerifier(options: VerifierOptions = {}): VerifierPort {
  const timeoutMs = options.timeoutMs ?? LIMITS.verifyTimeoutMs;
  return {
    collect: (bundle, trust) => {
      const file = options.worker ?? new URL('./collect.worker.ts', import.meta.url);
      return collectInWorker(file, { bundle, trust }, timeoutMs);
    },
  };
}

function collectInWorker(
  file: URL,
  task: CollectTask,
  timeoutMs: number,
): Promise<Result<Evidence>> {
  const worker = new Worker(file, {
    workerData: task,
    // Nothing of the parent's environment or loaders reaches the code that reads hostile bytes.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES_MAX },
  });
  return new Promise((resolve) => {
    const answer = (result: Result<Evidence>) => {
      clearTimeout(timer);
      resolve(result);
      // Later events of this worker find a settled promise.
      void worker.terminate();
    };
    const timer = setTimeout(
      () => answer(err(failure('verify/timeout', `verification took over ${timeoutMs} ms`))),
      timeoutMs,
    );
    worker.once('message', answer);
    worker.once('error', (cause: unknown) => answer(crashed(cause)));
    worker.once('exit', () => answer(crashed('it ended without an answer')));
  });
}

function crashed(cause: unknown): Result<never> {
  const text = escapeAndCut(cause instanceof Error ? cause.message : String(cause), 200);
  return err(failure('verify/crashed', 'the verifying worker failed', { causes: [text] }));
}
