// Which paths the generation in force is without, and which paths a generation may be without.
//
// SPDX-License-Identifier: Apache-2.0

import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { Gap, MayLeaveOut } from '../core/image/gaps.ts';
import { failure } from '../core/result.ts';
import type { Alerts } from './alerts.ts';

const TOLD_MAX = 8;

/**
 * Of what was in force here before, any path: all the rest of it still holds, and refusing it as a whole
 * would leave the host with less.
 */
export const ANY_PATH: MayLeaveOut = () => true;

/** Of what is new, only what is left out already: it takes nothing away, and must not be kept out by it. */
export function leftOutOf(row: GenerationRow | null): MayLeaveOut {
  const paths = new Set(row?.leftOut);
  return (path) => paths.has(path);
}

/** Tells an operator, until nothing is left out any more. Gaps are null when only the paths are known. */
export function tellLeftOut(
  paths: readonly string[],
  gaps: readonly Gap[] | null,
  alerts: Alerts,
): void {
  alerts.clear('restore/incomplete');
  const [first] = paths;
  if (first === undefined) return;
  const more = paths.length === 1 ? '' : ` and ${paths.length - 1} more`;
  const at = gaps?.[0]?.why.at;
  const whys = (gaps ?? []).map(({ why }) => `${why.code}: ${why.message}`);
  const untold = whys.length <= TOLD_MAX ? [] : [`and ${whys.length - TOLD_MAX} more`];
  alerts.raise(
    failure(
      'restore/incomplete',
      `${first}${more} cannot be resolved now and is not protected, or not wholly`,
      {
        causes: [...whys.slice(0, TOLD_MAX), ...untold],
        hints: [
          'everything else of the policy is enforced',
          'what is missing is taken in once its directory is there or its disk is mounted',
        ],
        ...(at === undefined ? {} : { at }),
      },
    ),
  );
}
