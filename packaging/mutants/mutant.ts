// What a mutant is.
//
// SPDX-License-Identifier: Apache-2.0

/** What must notice it; see table.ts. */
export type Killer = 'ts' | 'c' | 'guest' | 'glass' | 'self' | 'oracle' | 'health';

/** One text of one file in the place of another. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly by: Killer;
  /** A pattern of what must notice it; none: everything. */
  readonly only?: string;
  readonly equivalent?: string;
}
