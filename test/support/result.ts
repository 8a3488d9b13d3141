// Results in tests: the value, or a thrown failure that shows its code.
//
// SPDX-License-Identifier: Apache-2.0

import type { Failure, Result } from '../../src/core/result.ts';

/** The value of a success; throws what failed otherwise. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(describeFailure(result.error));
}

function describeFailure(failure: Failure): string {
  return [failure.code, failure.message, ...failure.causes].join('\n  ');
}
