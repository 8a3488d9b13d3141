// What a target of the fuzzers is, and what targets say of answers.
//
// SPDX-License-Identifier: Apache-2.0

import type { Failure, Result } from '../../src/core/result.ts';
import type { Form } from './mutate.ts';

/** One reader under test. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly [Uint8Array, ...Uint8Array[]];
  /** What inputs are made of. */
  readonly form: Form;
  /** Throws when something that must hold does not. */
  run(input: Uint8Array): string | Promise<string>;
  /** Gives back what the target holds. */
  close?(): void;
}

/** JSON as bytes. */
export const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
/** Throws when two values are not the same. */
export const same = (one: unknown, other: unknown, what: string): void => {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(`${what} does not come back`);
};
/** One word for an answer: the code of the first failure and what it is about. */
export const word = (answer: Result<unknown, unknown>): string => {
  if (answer.ok) return 'ok';
  const failures = [answer.error].flat() as (Partial<Failure> & {
    readonly kind?: string;
    readonly detail?: string;
  })[];
  const [first] = failures;
  return `${first?.code ?? first?.kind} ${first?.causes?.[0] ?? first?.message ?? first?.detail}`.slice(
    0,
    60,
  );
};
