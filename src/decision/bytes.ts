// From bytes to a decision: the one way that the agent's, the enforcer's and a repeated verification
// share. The verifier collects facts; core decides; time is the caller's.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import {
  type BundleFacts,
  type DecidedBundle,
  decideAble,
  decideBundle,
} from '../core/decision/bundle.ts';
import {
  type DecidedHead,
  decideHead,
  decideHeadAble,
  type HeadFacts,
} from '../core/decision/head.ts';
import type { Stopwatch } from '../core/verify/judge.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { VerifierPort } from '../ports.ts';
import { digestOf } from '../wire/content.ts';

/** Who collects, and what measures; null measures nothing. */
export interface Means {
  readonly verifier: VerifierPort;
  readonly stopwatch: Stopwatch | null;
}

/** Decides about the bytes of a bundle. */
export async function decideBytes(
  bundle: BundleBytes,
  trust: TrustPolicy,
  facts: BundleFacts,
  { verifier, stopwatch }: Means,
): Promise<DecidedBundle> {
  const able = decideAble(facts);
  if (able.failures.length > 0) return decideBundle(null, trust, facts);
  const from = stopwatch?.() ?? 0;
  const answer = await verifier.collect(bundle, trust);
  const { digest } = bundle;
  const attestations = bundle.attestations.map(digestOf);
  const took = stopwatch === null ? {} : { durationMs: stopwatch() - from };
  return decideBundle({ answer, digest, attestations, ...took }, trust, facts, stopwatch);
}

/** Decides about the statements under a channel's head tag. */
export async function decideStatements(
  statements: readonly Uint8Array[],
  trust: TrustPolicy,
  facts: HeadFacts,
  { verifier, stopwatch }: Means,
): Promise<DecidedHead> {
  const able = decideHeadAble(trust, facts);
  if (able.failures.length > 0) return decideHead(null, trust, facts);
  const from = stopwatch?.() ?? 0;
  const answer = await verifier.read(statements, trust);
  const digests = statements.map(digestOf);
  const took = stopwatch === null ? {} : { durationMs: stopwatch() - from };
  return decideHead({ answer, digests, ...took }, trust, facts);
}
