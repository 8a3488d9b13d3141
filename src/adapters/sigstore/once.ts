// VerifierPort for a process that verifies once and ends: the command line. It does the work where it is,
// under the hard deadline of an interruptible script, because a worker would load all code a second time.
// Larger input than a bundle ever needs goes to a worker with its memory bound (verifier.ts).
// Deliberately absent: use by agent and enforcer. A process that outlives a bundle gives each to a worker.
//
// Invariants: what passes the deadline is ended by the engine wherever it is, and nothing is verified in
// this process afterwards, as half of a computation may be left behind. At most INLINE_BYTES_MAX of a
// stranger's bytes are parsed here, which bounds memory.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../../core/bundle.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, type Result } from '../../core/result.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { VerifierPort } from '../../ports.ts';
import { collectEvidence, collectStatements } from './collect.ts';
import { crashed, timedOut } from './refusals.ts';

const INLINE_BYTES_MAX = 1 << 20;
// Where the script finds its work: a script can be interrupted, a function cannot.
const SLOT = 'warder:verification';

interface OnceOptions {
  readonly timeoutMs?: number;
  /** What collects; tests pass work that does not end. */
  readonly collect?: typeof collectEvidence;
}

/** Makes the verifier of a process that ends after its answer. */
export function createOnceVerifier(options: OnceOptions = {}): VerifierPort {
  const { timeoutMs = LIMITS.verifyTimeoutMs, collect = collectEvidence } = options;
  let isOver = false;
  const run = async <T>(work: () => Result<T>): Promise<Result<T>> => {
    if (isOver) return err(timedOut(timeoutMs));
    const answer = await interruptible(work, timeoutMs);
    if (!answer.ok && answer.error.code === 'verify/timeout') isOver = true;
    return answer;
  };
  return {
    collect: async (bundle, trust) =>
      sizeOf(bundle) > INLINE_BYTES_MAX
        ? (await inWorker(timeoutMs)).collect(bundle, trust)
        : run(() => collect(bundle, trust)),
    read: async (statements, trust: TrustPolicy) =>
      sum(statements) > INLINE_BYTES_MAX
        ? (await inWorker(timeoutMs)).read(statements, trust)
        : run(() => collectStatements(statements, trust)),
  };
}

async function inWorker(timeoutMs: number): Promise<VerifierPort> {
  return (await import('./verifier.ts')).createVerifier({ timeoutMs });
}

async function interruptible<T>(work: () => Result<T>, timeoutMs: number): Promise<Result<T>> {
  // Late: a start-up snapshot cannot hold this module.
  const { runInThisContext } = await import('node:vm');
  Object.defineProperty(globalThis, SLOT, { configurable: true, value: work });
  try {
    return runInThisContext(`globalThis[${JSON.stringify(SLOT)}]()`, { timeout: timeoutMs });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return err(code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? timedOut(timeoutMs) : crashed(cause));
  } finally {
    Reflect.deleteProperty(globalThis, SLOT);
  }
}

function sizeOf({ manifest, config, files, attestations }: BundleBytes): number {
  return sum([manifest, config, ...files.map((it) => it.bytes), ...attestations]);
}

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((total, it) => total + it.length, 0);
}
