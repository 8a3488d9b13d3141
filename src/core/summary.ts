// What a verifier says of a bundle that it has verified: a SLSA verification summary (VSA) or an in-toto
// simple verification result (SVR), as far as Warder goes by them. It says that somebody looked; what it
// is worth is decided by who signed it (core/verify/verification.ts).
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from './digest.ts';

/** One summary. Strings are compared exactly; nothing here is a pattern. */
export interface VerificationSummary {
  /** The verifier by the URI that it gives itself. */
  readonly verifier: string;
  /** RFC 3339 in UTC, as it was written. */
  readonly verifiedAt: string;
  /** What was verified; null where the type does not say it (SVR: the subject alone). */
  readonly resource: string | null;
  readonly passed: boolean;
  /** What was established: levels of a VSA, properties of an SVR. */
  readonly levels: readonly string[];
}

/** How a summary may name a bundle: with its place, so that a verdict for one place counts in no other. */
export function resourcesOf(repository: string, digest: Digest): readonly string[] {
  const name = `${repository}@${digest}`;
  return [`oci://${name}`, name];
}

const SLSA_LEVEL = /^(SLSA_[A-Z]+_LEVEL_)([0-9])$/;

/** True when what was established is what is wanted; a level of SLSA includes the lower ones of its track. */
export function includesLevel(established: readonly string[], wanted: string): boolean {
  const [, track, least] = SLSA_LEVEL.exec(wanted) ?? [];
  return established.some((it) => {
    if (it === wanted) return true;
    const [, its, level] = SLSA_LEVEL.exec(it) ?? [];
    return track !== undefined && its === track && Number(level) > Number(least);
  });
}
