// Digests that failed stay out for a growing time, so that a bad bundle offered at every poll is not
// downloaded at every poll. An entry holds only under the trust policy and agent that made it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { ErrorSpec } from '../errors/spec.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { quarantineDelayMs } from '../schedule.ts';
import type { QuarantineEntry } from './contents.ts';
import type { MachineSetup, State } from './state.ts';

// What the host lacks: another kernel has it, and comes with a start of this process.
const CURED_BY_START: readonly ErrorCode[] = ['verify/incompatible', 'activate/partial'];
// Forgetting one costs a download.
const REFUSED_AT_MAX = 16;
// Failures that say nothing of the bundle.
const OF_THIS_HOST = /^(?:host|state|config|trust|record|restore)\//;

/** Whether a failure of this code will come again from the same digest. */
export function isQuarantined(code: ErrorCode): boolean {
  const spec: ErrorSpec = ERRORS[code];
  // A person ends these two, and must not wait for a timer afterwards.
  if (code === 'activate/held' || code === 'activate/disabled') return false;
  return spec.retry !== 'backoff' && !OF_THIS_HOST.test(code);
}

/** The entry that keeps `digest` out until a time, or null when it may be tried now. */
export function findQuarantine(
  entries: readonly QuarantineEntry[],
  digest: Digest,
  atMs: number,
): QuarantineEntry | null {
  return entries.find((entry) => entry.digest === digest && entry.retryAfterMs > atMs) ?? null;
}

/** The entry after one more failure of `digest`. */
export function nextQuarantine(
  setup: MachineSetup,
  entries: readonly QuarantineEntry[],
  digest: Digest,
  code: ErrorCode,
  atMs: number,
): QuarantineEntry {
  const before = entries.find((entry) => entry.digest === digest);
  const attempts = (before?.attempts ?? 0) + 1;
  return {
    digest,
    code,
    attempts,
    retryAfterMs: atMs + quarantineDelayMs(attempts),
    trustFingerprint: setup.trust.fingerprint,
    agentVersion: setup.agentVersion,
  };
}

/** Entries that still hold at a start: made under this trust policy by this agent, and not for want of a kernel. */
export function keepValid(
  setup: MachineSetup,
  entries: readonly QuarantineEntry[],
): readonly QuarantineEntry[] {
  return entries.filter(
    (entry) =>
      entry.trustFingerprint === setup.trust.fingerprint &&
      entry.agentVersion === setup.agentVersion &&
      !CURED_BY_START.includes(entry.code),
  );
}

/** Digests that not every place was refused with, this one among them; null when every place was. */
export function refusedElsewhere(
  { places = [] }: Pick<MachineSetup, 'places'>,
  before: State['refusedAt'],
  digest: Digest,
  from: string | null,
): State['refusedAt'] | null {
  if (from === null) return null;
  const known = before.find((it) => it.digest === digest)?.places ?? [];
  const refused = [...new Set([...known, from])];
  if (places.every((it) => refused.includes(it))) return null;
  const others = before.filter((it) => it.digest !== digest);
  return [...others, { digest, places: refused }].slice(-REFUSED_AT_MAX);
}
