// What a command came to: one document for machines, one text for people, one exit code. Printing is
// not the command's business (render.ts does it), so `--output json` cannot be forgotten anywhere.
//
// SPDX-License-Identifier: Apache-2.0

import { EXIT, type ExitCode } from '../core/errors/spec.ts';
import { ERRORS } from '../core/errors.ts';
import type { Failure } from '../core/result.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

export interface Outcome {
  readonly exit: ExitCode;
  /** PascalCase name of the document, for `kind`. */
  readonly kind: string;
  readonly document: { readonly [key: string]: Json | undefined };
  /** For people, without a final newline; may hold several lines. Empty prints nothing. */
  readonly text: string;
  readonly failures: readonly Failure[];
}

/** A command that did what it was asked. */
export function done(kind: string, document: Outcome['document'], text: string): Outcome {
  return { exit: EXIT.ok, kind, document, text, failures: [] };
}

/** A command that did not; the first failure gives the exit code. `text` is what is still worth saying. */
export function failed(
  kind: string,
  failures: readonly [Failure, ...Failure[]],
  document: Outcome['document'] = {},
  text = '',
): Outcome {
  return { exit: ERRORS[failures[0].code].exit, kind, document, text, failures };
}
