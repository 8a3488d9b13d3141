// The checks of verification by name, and what one of them answers. A check answers every reason that
// it has; `passed` has none.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../errors.ts';
import { type Failure, failure } from '../result.ts';
import { escapeAndCut } from '../text.ts';
import type { BundleVersion } from '../version.ts';
import type { ScopePolicy } from './trust.ts';
import type { Floor, VerifyContext } from './verdict.ts';

/** In the order of docs/verification.md; the first reason of the first refusal leads the report. */
export const CHECKS = [
  'scope-policy',
  'revocation',
  'release',
  'provenance',
  'verification',
  'place',
  'not-before',
  'expires',
  'version',
  'head',
  'agent-version',
  'host',
  'baseline',
] as const;

export type CheckName = (typeof CHECKS)[number];

// What is not asked is not in the record either, so that a record of before a check existed is repeated alike.
/** The checks of a question: none about a host without one, none about a verifier where none is demanded. */
export function checksOf(
  { host }: Pick<VerifyContext, 'host'>,
  scope: ScopePolicy | null,
): readonly CheckName[] {
  const unasked: CheckName[] = [];
  if (host === undefined) unasked.push('host');
  if (scope === null || scope.verification === null) unasked.push('verification');
  return CHECKS.filter((it) => !unasked.includes(it));
}

export interface CheckAnswer {
  readonly outcome: 'passed' | 'refused' | 'not-run';
  /** What was compared. */
  readonly detail: string;
  readonly failures: readonly Failure[];
}

/** The check was made and holds. */
export function passed(detail: string): CheckAnswer {
  return { outcome: 'passed', detail, failures: [] };
}

/** The check was made and does not hold, for these reasons. */
export function refused(first: Failure, ...more: readonly Failure[]): CheckAnswer {
  return { outcome: 'refused', detail: first.message, failures: [first, ...more] };
}

/** The check could not be made because an earlier one failed: a refusal like any other. */
export function notRun(detail: string): CheckAnswer {
  return { outcome: 'not-run', detail, failures: [] };
}

/** Refuses for one reason. */
export function refuse(
  code: ErrorCode,
  message: string,
  causes: readonly string[] = [],
): CheckAnswer {
  return refused(failure(code, message, { causes }));
}

/** Text of a stranger as part of a sentence. */
export function say(text: string): string {
  return escapeAndCut(text, 200);
}

/** How far a publisher's clock may be ahead of ours. Only beginnings get it, never ends. */
export const CLOCK_SKEW_MS = 5 * 60_000;

// VERIFY-16: one release cannot use up the versions: after a leap to the highest number nothing could
// ever be published again.
/** Why a version is too far above the floor; empty when it is not. */
export function checkStep(
  version: BundleVersion,
  floor: Floor | null,
  scope: Pick<ScopePolicy, 'maxVersionStep'>,
): readonly Failure[] {
  if (floor === null || version - floor.highestSeen <= scope.maxVersionStep) return [];
  const text = `v${version} is more than ${scope.maxVersionStep} above v${floor.highestSeen}`;
  return [
    failure('verify/version-step', text, {
      hints: ['find out who published it; a real leap needs a higher maxVersionStep'],
    }),
  ];
}
