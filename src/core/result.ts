// Failures are data, bugs are exceptions. A `Result` is what every fallible step of the core returns;
// a `Failure` is a plain record that can be compared, stored and printed once. It never holds a
// secret, a stack or an `Error`.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from './errors.ts';

/** Why something did not happen. `causes` are outermost first, at most {@link CAUSES_MAX}. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly causes: readonly string[];
  readonly hints: readonly string[];
  /** Where in an input the problem is, when it is in one. */
  readonly at?: SourcePosition;
}

/** A place in a text file; line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: F };

export const CAUSES_MAX = 8;

/** Makes a success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Makes a refusal. */
export function err<F>(error: F): { readonly ok: false; readonly error: F } {
  return { ok: false, error };
}

/** Makes a failure record. Text that came from outside must be escaped by the caller's adapter. */
export function failure(
  code: ErrorCode,
  message: string,
  more: {
    readonly causes?: readonly string[];
    readonly hints?: readonly string[];
    readonly at?: SourcePosition;
  } = {},
): Failure {
  return {
    code,
    message,
    causes: (more.causes ?? []).slice(0, CAUSES_MAX),
    hints: more.hints ?? [],
    ...(more.at === undefined ? {} : { at: more.at }),
  };
}

/** Ends the process on a broken invariant: the service manager restarts it, the kernel keeps enforcing. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Makes a missing case of a union a compile error. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
