// What the agent keeps on disk, as data. The enforcer's own store is the authority for the floor and
// the hold; this one lets the agent refuse early, replay an admission and explain itself.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { Failure } from '../result.ts';
import type { Floor } from '../verify/verdict.ts';
import type { BundleVersion } from '../version.ts';

/** A bundle that was admitted here, with the trust policy under which it was. */
export interface Generation {
  readonly digest: Digest;
  readonly version: BundleVersion;
  /** Null when the row was written from what the enforcer said: there is no evidence for it here. */
  readonly trustFingerprint: Digest | null;
}

/** A digest that failed and is not tried again before a time. */
export interface QuarantineEntry {
  readonly digest: Digest;
  readonly code: ErrorCode;
  readonly attempts: number;
  readonly retryAfterMs: number;
  /** The entry holds only for this trust policy and this agent: a change of either may cure it. */
  readonly trustFingerprint: Digest;
  readonly agentVersion: string;
}

export interface StoreContents {
  readonly floor: Floor | null;
  /** The last bundle recorded as confirmed. */
  readonly active: Digest | null;
  readonly generations: readonly Generation[];
  readonly quarantine: readonly QuarantineEntry[];
  /** What was found damaged at load and repaired from the second copy. */
  readonly repaired: readonly Failure[];
}
