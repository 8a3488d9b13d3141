// What lint says of a policy, as data.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../errors.ts';
import type { SourcePosition } from '../result.ts';

/** One piece of advice, at its place. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly at: SourcePosition;
}
