// What is said of the places that keep one repository: how each answered, and one failure for all of them.
//
// SPDX-License-Identifier: Apache-2.0

import { EXIT } from './errors/spec.ts';
import { ERRORS, type ErrorCode } from './errors.ts';
import { type Failure, failure, invariant } from './result.ts';
import type { Outcome } from './status.ts';

/** Why each place that was asked gave nothing, in the order in which they were asked. */
export type Failures = readonly { readonly place: string; readonly failure: Failure }[];

const NOTHING_THERE: readonly ErrorCode[] = ['resolve/not-found', 'verify/head-missing'];
const OFFERED = /^(?:resolve|fetch|verify)\//;

/** Has a place not answered at all, so that asking it again soon is a waste of time? */
export function isSilence({ code }: Failure): boolean {
  return ERRORS[code].exit === EXIT.registry;
}

/** Does the end of a poll speak against the places that it was based on? */
export function isOfPlace(kind: Outcome['kind'], why: Failure): boolean {
  if (kind === 'quarantined') return true;
  return ['refused', 'stale', 'failed'].includes(kind) && OFFERED.test(why.code);
}

/**
 * One failure for all places. Its code is that of the one that says the least about what was asked for: a
 * place that serves bad bytes must not condemn a digest that another one could not be asked for, and "there is
 * none" holds only when nobody says anything else.
 */
export function toOneFailure(failures: Failures): Failure {
  const [only, ...others] = failures;
  invariant(only !== undefined, 'there is at least one place');
  if (others.length === 0) return only.failure;
  const worst = failures.reduce((best, it) =>
    saysAbout(it.failure) < saysAbout(best.failure) ? it : best,
  );
  return failure(worst.failure.code, 'no place of the repository has an answer that can be used', {
    causes: failures.map(
      ({ place, failure: { code, message, causes } }) =>
        `${place}: ${code}: ${[message, ...causes.slice(0, 1)].join(': ')}`,
    ),
    hints: [...new Set(failures.flatMap((it) => it.failure.hints))],
  });
}

function saysAbout({ code }: Failure): number {
  if (NOTHING_THERE.includes(code)) return 1;
  return ERRORS[code].retry === 'backoff' ? 0 : 2;
}
