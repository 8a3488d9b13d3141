// What is said of a verification that gave no answer.
//
// SPDX-License-Identifier: Apache-2.0

import { type Failure, failure } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';

/** The deadline passed. */
export function timedOut(timeoutMs: number): Failure {
  return failure('verify/timeout', `verification took over ${timeoutMs} ms`);
}

/** The verifying code failed; the cause may hold words of a stranger. */
export function crashed(cause: unknown): Failure {
  const text = escapeAndCut(cause instanceof Error ? cause.message : String(cause), 200);
  return failure('verify/crashed', 'the verifying code failed', { causes: [text] });
}
