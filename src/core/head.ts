// The head of a channel: a short-lived signed statement of which bundle is the newest. It makes silence
// visible: a registry that hides new bundles cannot make new heads, so the last one grows old.
//
// A head admits nothing by itself; the bundle that it names is verified like any other. So the key that
// signs heads on a schedule may be weaker than the ones that sign releases.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from './digest.ts';
import type { BundleVersion } from './version.ts';

/** What a head says. Times are ISO 8601 in UTC, whole seconds. */
export interface ChannelHead {
  /** Canonical repository. */
  readonly repository: string;
  readonly channel: string;
  readonly version: BundleVersion;
  readonly digest: Digest;
  /** Rises with every head of a channel; at most the second of `issuedAt`, so that no head can use it up. */
  readonly sequence: number;
  readonly issuedAt: string;
  readonly expires: string;
}

/** What a host knows of its channel's head, by its own clock. */
export interface HeadStatus {
  /** Fresh enough to admit by; `none` until one was seen. */
  readonly state: 'fresh' | 'stale' | 'none';
  readonly maxAgeMs: number;
  /** The newest one seen. */
  readonly last: ChannelHead | null;
}

/** The moving tag under which a channel's head is found. */
export function headTag(channel: string): string {
  return `${channel}.head`;
}

/** The sequence of a head that is issued now: time itself, so that a publisher keeps no counter. */
export function sequenceAt(atMs: number): number {
  return Math.floor(atMs / 1000);
}

/** The age and window of a head, written so that a time that does not parse (NaN) is stale. */
export function isFresh(head: ChannelHead, maxAgeMs: number, nowMs: number): boolean {
  const { issuedAt, expires } = head;
  return nowMs - Date.parse(issuedAt) <= maxAgeMs && nowMs < Date.parse(expires);
}

/** What to tell about the newest head that a host has seen. */
export function toHeadStatus(
  last: ChannelHead | null,
  maxAgeMs: number,
  nowMs: number,
): HeadStatus {
  if (last === null) return { state: 'none', maxAgeMs, last };
  return { state: isFresh(last, maxAgeMs, nowMs) ? 'fresh' : 'stale', maxAgeMs, last };
}
