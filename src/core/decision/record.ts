// The record of one decision: what was asked, by what it was judged, every check, what came of it. It
// names all bytes by digest, so that the whole order can be repeated from what is kept, with no network
// and at the clock of then.
//
// Agent and enforcer decide apart and write apart: `by` says whose decision it is. The enforcer's counts.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { Hold } from '../enforcement.ts';
import type { Failure } from '../result.ts';
import type { HeadContext } from '../verify/head.ts';
import type { CheckRecord, VerifyContext } from '../verify/verdict.ts';

/** What the enforcer knows besides, and asks before and after the verdict. */
export interface Privileged {
  /** The latest moment that was proven past, the release of that program included. */
  readonly timeFloorMs: number;
  /** Every copy of the floor was lost. */
  readonly isLost: boolean;
  readonly hold: Hold | null;
  readonly lastKnownGood: Digest | null;
}

/** Where an active bundle of a named source comes from. */
export interface OtherPlace {
  readonly digest: Digest;
  readonly repository: string;
  readonly channel: string;
}

/** What was to be decided, and by which clock, floors and place. */
export type Question =
  | {
      readonly kind: 'bundle';
      readonly context: VerifyContext;
      /** Null for the agent, and for what was admitted before and is judged again. */
      readonly privileged: Privileged | null;
    }
  | {
      readonly kind: 'head';
      readonly context: HeadContext;
      /** Null for the agent, which keeps none. */
      readonly timeFloorMs: number | null;
    }
  | {
      readonly kind: 'trust';
      /** By signature, or by the file on this host. */
      readonly from: 'statements' | 'file';
      readonly isForced: boolean;
      /** What the active bundles are judged again by. */
      readonly context: VerifyContext;
      /** Bundles of other sources, which are judged by their own place; absent: there are none. */
      readonly others?: readonly OtherPlace[];
    }
  /** Refused before there was anything to verify. */
  | { readonly kind: 'fetch'; readonly nowMs: number };

/** The bytes of one bundle, by digest. What is gone or damaged is null. */
export interface BundleInput {
  readonly digest: Digest;
  readonly parts: {
    readonly manifest: Digest;
    readonly config: Digest;
    /** What each file was said to be, and what came. */
    readonly files: readonly { readonly said: Digest; readonly bytes: Digest }[];
    readonly attestations: readonly Digest[];
  } | null;
  /** Attestations that were listed and could not be fetched, as failures. */
  readonly skipped: readonly Failure[];
}

/** Everything that was judged. */
export interface DecisionInput {
  /** As it was asked for; null where bytes were handed over. */
  readonly reference: string | null;
  /** What the decision is about: the digest of a bundle, or of the document. */
  readonly subject: Digest | null;
  readonly bundles: readonly BundleInput[];
  readonly statements: readonly Digest[];
  /** A trust policy that came as a file. */
  readonly document: Digest | null;
}

export interface DecisionRecord {
  readonly apiVersion: 'warder.dev/decision/v1';
  readonly by: 'agent' | 'enforcer';
  /** Version of the program that decided. */
  readonly program: string;
  readonly at: string;
  readonly trust: {
    readonly version: number;
    readonly fingerprint: Digest;
    /** The policy as one document, keys and trusted root inside. */
    readonly document: Digest;
    readonly root: Digest | null;
  };
  readonly question: Question;
  readonly input: DecisionInput;
  readonly checks: readonly CheckRecord[];
  readonly outcome: 'accepted' | 'refused';
  readonly failures: readonly Failure[];
  /** Null where nobody measured. */
  readonly durationMs: number | null;
}

/** A record, and the bytes that it names. */
export interface RecordWithBytes {
  readonly record: DecisionRecord;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** A decision before it is written down: all its checks, and why not. */
export interface Decided {
  readonly checks: readonly CheckRecord[];
  /** Empty: accepted. */
  readonly failures: readonly Failure[];
}

/** A record with the bytes that it names. */
export interface RecordBytes {
  /** Canonical JSON; its hash is the id. */
  readonly record: Uint8Array;
  /** Empty when they were too many to keep. */
  readonly blobs: readonly Uint8Array[];
}

/** A record as lists show it. */
export interface RecordLine {
  readonly id: Digest;
  readonly by: DecisionRecord['by'];
  readonly kind: Question['kind'];
  readonly at: string;
  readonly outcome: DecisionRecord['outcome'];
  readonly code: Failure['code'] | null;
  readonly subject: Digest | null;
  /** How often the same was decided again, and when last. */
  readonly count: number;
  readonly lastAt: string;
  /** False: the bytes were too many to keep, so it cannot be repeated. */
  readonly hasBytes: boolean;
}
