// What one trusted root says otherwise than another: what a person is shown before the second takes over.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';

export type AuthorityKind = 'certificates' | 'log' | 'certificate log' | 'timestamps';

/** One authority or log of a trusted root. */
export interface RootAuthority {
  readonly kind: AuthorityKind;
  readonly name: string;
  /** Over its key, or its certificates: what it is, whatever it is called. */
  readonly fingerprint: Digest;
  readonly start: string;
  /** Null: until further notice. */
  readonly end: string | null;
}

export interface RootChanges {
  readonly added: readonly RootAuthority[];
  readonly removed: readonly RootAuthority[];
  /** With another window than before: ended, mostly. */
  readonly changed: readonly RootAuthority[];
  readonly unchanged: number;
}

/** Compares two lists by what is in them, in the order of the second. */
export function compareRoots(
  before: readonly RootAuthority[],
  after: readonly RootAuthority[],
): RootChanges {
  const same = (a: RootAuthority, b: RootAuthority) =>
    a.kind === b.kind && a.fingerprint === b.fingerprint;
  const kept = after.flatMap((now) => {
    const was = before.find((it) => same(it, now));
    return was === undefined ? [] : [{ was, now }];
  });
  const changed = kept.filter(({ was, now }) => was.start !== now.start || was.end !== now.end);
  return {
    added: after.filter((now) => !before.some((it) => same(it, now))),
    removed: before.filter((was) => !after.some((it) => same(it, was))),
    changed: changed.map((it) => it.now),
    unchanged: kept.length - changed.length,
  };
}
