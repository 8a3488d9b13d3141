// VerifierPort over a worker thread with a hard deadline and a memory bound: a hostile bundle may cost
// the deadline, never the process. A worker that says nothing, dies or runs out of memory is a refusal.
// Deliberately absent: opinions (core/verify/judge.ts) and any network.
//
// Invariant: a worker is used again only while everything that it has read was well formed and signed
// by listed keys. What was refused in any part takes its worker with it, so nothing of a hostile bundle
// can be carried to the next one.
//
// SPDX-License-Identifier: Apache-2.0

import { Worker } from 'node:worker_threads';
import type { BundleBytes } from '../../core/bundle.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, type Result } from '../../core/result.ts';
import type { ClientFact } from '../../core/verify/client.ts';
import type { AttestationFact, Evidence } from '../../core/verify/evidence.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { VerifierPort } from '../../ports.ts';
import type { ClientTask } from './client.ts';
import { crashed, timedOut } from './refusals.ts';

/** What a worker is asked: about a bundle, or about statements that belong to none. */
export type CollectTask = { readonly trust: TrustPolicy } & (
  | { readonly bundle: BundleBytes }
  | { readonly statements: readonly Uint8Array[] }
);

interface VerifierOptions {
  /** The worker's file; a composition root that is bundled passes its own. */
  readonly worker?: URL;
  readonly timeoutMs?: number;
  /** How long a worker waits for the next bundle before its memory is given back. */
  readonly idleMs?: number;
}

const HEAP_MEBIBYTES_MAX = 256;
const IDLE_MS = 5 * 60_000;

/** A verifier that can be told to get ready. */
export interface WorkerVerifier extends VerifierPort {
  /** Starts a worker, so that the next bundle does not wait for one to load its code. */
  warm(): void;
  /** Verifies one bundle of any client, in a worker of its own. */
  check(task: ClientTask): Promise<Result<ClientFact>>;
}

/** Makes the verifier; no worker runs before the first call. */
export function createVerifier(options: VerifierOptions = {}): WorkerVerifier {
  const file = options.worker ?? new URL('./collect.worker.ts', import.meta.url);
  const timeoutMs = options.timeoutMs ?? LIMITS.verifyTimeoutMs;
  const bench = new Bench(file, options.idleMs ?? IDLE_MS);
  const work = async <T>(task: CollectTask, factsOf: (value: T) => readonly AttestationFact[]) => {
    const worker = bench.take();
    const answer = await ask<T>(worker, task, timeoutMs);
    const isClean = answer.ok && factsOf(answer.value).every((it) => it.kind === 'signed');
    if (isClean) bench.keep(worker);
    else void worker.terminate();
    return answer;
  };
  return {
    warm: () => bench.keep(bench.take()),
    collect: (bundle, trust) => work<Evidence>({ bundle, trust }, (it) => it.attestations),
    read: (statements, trust) =>
      work<readonly AttestationFact[]>({ statements, trust }, (it) => it),
    check: async (task) => {
      const worker = start(file);
      const answer = await ask<ClientFact>(worker, task, timeoutMs);
      void worker.terminate();
      return answer;
    },
  };
}

/** At most one worker that waits; it keeps no process alive. */
class Bench {
  readonly #file: URL;
  readonly #idleMs: number;
  #waiting: { readonly worker: Worker; readonly stopWaiting: () => void } | null = null;

  constructor(file: URL, idleMs: number) {
    this.#file = file;
    this.#idleMs = idleMs;
  }

  /** The worker that waits, or a new one. */
  take(): Worker {
    const waiting = this.#waiting;
    if (waiting === null) return start(this.#file);
    this.#waiting = null;
    waiting.stopWaiting();
    waiting.worker.ref();
    return waiting.worker;
  }

  /** Lets a worker wait for the next bundle. */
  keep(worker: Worker): void {
    if (this.#waiting !== null) {
      void worker.terminate();
      return;
    }
    const drop = () => {
      this.#waiting = null;
      stopWaiting();
      void worker.terminate();
    };
    const timer = setTimeout(drop, this.#idleMs);
    timer.unref();
    // One that dies or talks while nobody asked is not one to ask.
    const stopListening = listen(worker, { message: drop, error: drop, exit: drop });
    const stopWaiting = () => {
      clearTimeout(timer);
      stopListening();
    };
    // Last: to listen is to hold the process again.
    worker.unref();
    this.#waiting = { worker, stopWaiting };
  }
}

function start(file: URL): Worker {
  const worker = new Worker(file, {
    // Nothing of the parent's environment or loaders reaches the code that reads hostile bytes.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES_MAX },
  });
  // An error that nobody listens to would end this process: one that comes while a worker is being ended.
  worker.on('error', () => undefined);
  return worker;
}

function ask<T>(
  worker: Worker,
  task: CollectTask | ClientTask,
  timeoutMs: number,
): Promise<Result<T>> {
  return new Promise((resolve) => {
    const answer = (result: Result<T>) => {
      clearTimeout(timer);
      stopListening();
      resolve(result);
    };
    const timer = setTimeout(() => answer(err(timedOut(timeoutMs))), timeoutMs);
    const stopListening = listen<T>(worker, {
      message: answer,
      error: (cause) => answer(err(crashed(cause))),
      exit: () => answer(err(crashed('it ended without an answer'))),
    });
    worker.postMessage(task);
  });
}

/** Listens to what may come next of a worker; answers how to stop. */
function listen<T>(
  worker: Worker,
  on: {
    readonly message: (result: Result<T>) => void;
    readonly error: (cause: unknown) => void;
    readonly exit: () => void;
  },
): () => void {
  worker.on('message', on.message).on('error', on.error).on('exit', on.exit);
  return () => {
    worker.off('message', on.message).off('error', on.error).off('exit', on.exit);
  };
}
