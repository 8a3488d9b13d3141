// The version floor from its two copies: a row of the database and a file of its own. It is written to
// the row first, so a cut between the two leaves the row ahead, which heals without a word; a file that
// is ahead says that the database is older than it should be.
//
// SPDX-License-Identifier: Apache-2.0

import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { Floor } from '../../core/verify/verdict.ts';
import { parseFloor } from '../../wire/state.ts';
import { readRecord } from './atomic-file.ts';

const FLOOR_BYTES_MAX = 4096;

/** Whether `next` is above what is there; an equal floor changes nothing. */
export function isRaise(floor: Floor | null, next: Floor): boolean {
  return floor === null || next.highestSeen > floor.highestSeen;
}

/** The file's copy; null when there is none. */
export function readFloorFile(path: string): Result<Floor | null> {
  const text = readRecord(path, FLOOR_BYTES_MAX);
  if (!text.ok || text.value === null) return text.ok ? ok(null) : text;
  return parseFloor(text.value);
}

/** The floor from both copies, the higher one counting; what was wrong is added to `repaired`. */
export function joinFloors(
  copies: {
    readonly row: Result<Floor | null>;
    readonly file: Result<Floor | null>;
    /** Whether anything was ever admitted here: then a floor was written before it. */
    readonly kept: boolean;
  },
  repaired: Failure[],
): Result<Floor | null> {
  const row = copies.row.ok ? copies.row.value : null;
  const file = copies.file.ok ? copies.file.value : null;
  const damage = [copies.row, copies.file].flatMap((it) => (it.ok ? [] : [it.error]));
  if (row === null && file === null) {
    if (damage.length === 0 && !copies.kept) return ok(null);
    return err(
      failure('state/lost', 'every copy of the version floor is gone', {
        causes: damage.map((it) => it.message),
        hints: [
          'restore the state folder, or set onLostState: start-over once; the enforcer keeps its own floor',
        ],
      }),
    );
  }
  repaired.push(...damage);
  if (row === null || file === null) {
    if (damage.length === 0) {
      const which = row === null ? 'database' : 'file';
      repaired.push(failure('state/corrupt', `the floor in the ${which} is gone; made anew`));
    }
    return ok(row ?? file);
  }
  if (file.highestSeen <= row.highestSeen) return ok(row);
  repaired.push(
    failure('state/corrupt', 'the database is older than the floor beside it; the higher counts'),
  );
  return ok(file);
}
