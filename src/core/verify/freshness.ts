// Time and order: a bundle enters only inside its window and never below the floor. Comparisons are
// written so that a time that does not parse (NaN) refuses.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import { type Digest, shortDigest } from '../digest.ts';
import { isFresh } from '../head.ts';
import { type Failure, failure } from '../result.ts';
import type { BundleVersion } from '../version.ts';
import {
  type CheckAnswer,
  CLOCK_SKEW_MS,
  checkStep,
  notRun,
  passed,
  refuse,
  refused,
} from './check.ts';
import { staleHead } from './head.ts';
import type { ScopePolicy } from './trust.ts';
import type { VerifyContext } from './verdict.ts';

// VERIFY-8: a replay was in its window when it was admitted; leaving it makes the state stale, no more.
/** Checks that the window of the bundle has begun. */
export function checkNotBefore(descriptor: BundleDescriptor, context: VerifyContext): CheckAnswer {
  if (context.purpose === 'replay') return passed('a replay: the window had begun');
  if (context.nowMs + CLOCK_SKEW_MS >= Date.parse(descriptor.notBefore)) {
    return passed(`valid from ${descriptor.notBefore}`);
  }
  return refuse('verify/not-yet-valid', `the bundle is valid only from ${descriptor.notBefore}`);
}

/** Checks that the window of the bundle has not ended. */
export function checkExpires(descriptor: BundleDescriptor, context: VerifyContext): CheckAnswer {
  if (context.nowMs < Date.parse(descriptor.expires)) {
    return passed(`expires ${descriptor.expires}`);
  }
  if (context.purpose === 'replay') {
    return passed(`a replay: expired ${descriptor.expires}, so the state is stale`);
  }
  return refuse('verify/expired', `the bundle expired ${descriptor.expires}`);
}

// VERIFY-9: the floor is the highest version that was ever admitted here. Below it is rollback; on it
// only the same digest may stand; a replay may return only to a digest that was admitted here.
/** Checks the version against the floor. */
export function checkVersion(
  digest: Digest,
  descriptor: BundleDescriptor,
  scope: ScopePolicy | null,
  context: VerifyContext,
): CheckAnswer {
  const { version } = descriptor;
  const { floor, purpose, admitted } = context;
  if (purpose === 'replay') {
    if (admitted.includes(digest)) return passed(`a replay: v${version} was admitted here`);
    return refuse('verify/not-admitted', `v${version} was never admitted here`);
  }
  if (floor === null) return passed(`v${version}; nothing was admitted before`);
  const { highestSeen } = floor;
  if (version > highestSeen) {
    const [tooFar] = scope === null ? [] : checkStep(version, floor, scope);
    if (tooFar !== undefined) return refused(tooFar);
    return passed(`v${version} is above the floor, v${highestSeen}`);
  }
  if (version < highestSeen) {
    return refused(belowFloor(version, highestSeen));
  }
  if (floor.digest === digest) return passed(`v${version} is the floor itself`);
  return refuse('verify/equivocation', `v${version} was admitted here with another digest`, [
    `admitted: ${shortDigest(floor.digest)}, offered: ${shortDigest(digest)}`,
  ]);
}

// VERIFY-15: where heads are demanded, only the bundle that a fresh head names is admitted. A replay
// needs none: a head that grows old blocks what is new and takes nothing away.
/** Checks that the channel's head names this bundle, now. */
export function checkHead(
  digest: Digest,
  descriptor: BundleDescriptor,
  scope: ScopePolicy | null,
  context: VerifyContext,
): CheckAnswer {
  if (scope === null) return notRun('no scope of the trust policy applies');
  if (scope.freshness === null) return passed('not demanded by the trust policy');
  if (context.purpose === 'replay') return passed('a replay: it was the newest once');
  const { head } = context;
  if (head === null) {
    return refuse('verify/head-missing', 'no head of the channel was accepted here');
  }
  const { maxAgeMs } = scope.freshness;
  if (!isFresh(head, maxAgeMs, context.nowMs)) return refused(staleHead(head, maxAgeMs));
  if (head.digest === digest && head.version === descriptor.version) {
    return passed(`the head of ${head.issuedAt} names it`);
  }
  const causes = [`the head names v${head.version}, ${shortDigest(head.digest)}`];
  return refuse('verify/head-mismatch', 'the channel head names another bundle', causes);
}

/** The refusal of a version below the floor. */
export function belowFloor(version: BundleVersion, highestSeen: BundleVersion): Failure {
  return failure('verify/rollback', `v${version} is below the floor, v${highestSeen}`);
}
