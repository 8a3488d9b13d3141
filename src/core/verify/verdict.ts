// The outcome of verification, with every check that led to it, so that a decision can be explained
// and replayed. A check that did not run is a refusal.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import type { ChannelHead } from '../head.ts';
import type { Failure } from '../result.ts';
import type { BundleVersion } from '../version.ts';

/** A plain value of JSON. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** One step of docs/verification.md. */
export interface CheckRecord {
  readonly check: string;
  /** Skipped: an attestation that does not count, which refuses nothing by itself. */
  readonly outcome: 'passed' | 'refused' | 'skipped' | 'not-run';
  /** What was compared, for people; escaped. */
  readonly detail: string;
  /** What was compared, for programs. */
  readonly inputs: { readonly [name: string]: Plain };
  /** Why not; empty when it passed. */
  readonly codes: readonly ErrorCode[];
  /** Only where somebody measured. */
  readonly durationMs?: number;
}

export type VerifyVerdict =
  | {
      readonly kind: 'accepted';
      readonly admission: Admission;
      readonly checks: readonly CheckRecord[];
    }
  | {
      readonly kind: 'refused';
      /** All reasons, the first failing check first. Never empty. */
      readonly failures: readonly [Failure, ...Failure[]];
      readonly checks: readonly CheckRecord[];
    };

/** The highest version ever admitted here. `highestSeen` never falls. */
export interface Floor {
  readonly highestSeen: BundleVersion;
  readonly digest: Digest;
}

/** What a host offers to the policies on it. */
export interface HostOffer {
  /** `uname -r`. */
  readonly kernel: string;
  /** Hooks that a program of this Warder is written for here. */
  readonly hooks: readonly string[];
}

/** What this host knows besides the bundle and the trust policy. Time is an argument. */
export interface VerifyContext {
  readonly nowMs: number;
  /** Null before anything was admitted. */
  readonly floor: Floor | null;
  /** Digests that this host admitted before: the only ones that may be below the floor. */
  readonly admitted: readonly Digest[];
  /** Canonical repository and channel that this host is configured for. */
  readonly repository: string;
  readonly channel: string;
  readonly agentVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The newest accepted head of the channel; null where none is known. */
  readonly head: ChannelHead | null;
  /** Absent where no host is asked about, and in records from before it was compared. */
  readonly host?: HostOffer;
  /** Replays (restore, boot) skip the floor; expiry then only makes the state stale. */
  readonly purpose: 'admit' | 'replay';
}
