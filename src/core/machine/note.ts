// When the machine notes what it decided. A note has no answer and changes nothing.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../bundle.ts';
import type { Note } from '../decision/note.ts';
import type { Digest } from '../digest.ts';
import { EXIT } from '../errors/spec.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { formatReference } from '../reference.ts';
import { err, type Failure } from '../result.ts';
import type { VerifyContext } from '../verify/verdict.ts';
import type { MachineSetup, Step } from './state.ts';

type Body<T> = T extends unknown ? Omit<T, 'reference'> : never;

/** The step, with what was decided noted before it goes on. */
export function noting(setup: MachineSetup, body: Body<Note>, step: Step): Step {
  const note = { ...body, reference: formatReference(setup.reference) } as Note;
  return { ...step, commands: [{ kind: 'note', note }, ...step.commands] };
}

// A registry that does not answer, or answers late, has not been refused.
function isRefusal(code: ErrorCode): boolean {
  const isOfBundle = code.startsWith('fetch/') || code.startsWith('verify/');
  return isOfBundle && ERRORS[code].exit !== EXIT.registry && code !== 'verify/timeout';
}

/** The same for a poll that failed with a digest in hand; what may pass by itself is no decision. */
export function notingFailure(
  setup: MachineSetup,
  found:
    | { readonly digest: Digest }
    | { readonly bundle: BundleBytes; readonly context: VerifyContext },
  why: Failure,
  nowMs: number,
  step: Step,
): Step {
  if (!isRefusal(why.code)) return step;
  return 'bundle' in found
    ? noting(setup, { kind: 'bundle', ...found, judged: err(why) }, step)
    : noting(setup, { kind: 'fetch', digest: found.digest, failure: why, nowMs }, step);
}
