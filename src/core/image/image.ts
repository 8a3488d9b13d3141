// The tables of one generation before they are bytes: the content of bpf/include/abi.h with numbers
// and sets in place of layouts. src/wire/abi.ts packs it; build.ts makes it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Identity } from './resolution.ts';

/** A set of rules; bit n is rule n of the IR. */
export type RuleSet = bigint;

/** `struct wd_object`: labels are indices into {@link GenerationImage.labels}; 0 is the empty set. */
export interface ImageObject {
  readonly self: number;
  readonly tree: number;
  readonly ancestor: number;
  readonly exe: number;
  readonly hasNames: boolean;
}

export interface ObjectRow {
  readonly identity: Identity;
  readonly object: ImageObject;
}

export interface NameRow {
  readonly parent: Identity;
  readonly name: Uint8Array;
  readonly object: ImageObject;
}

/** A field that is null does not count; all null says that exemptions by executable exist. */
export interface ExemptRow {
  readonly exe: number | null;
  readonly parent: number | null;
  readonly group: number | null;
  readonly uid: number | null;
  readonly label: number;
}

/** `struct wd_group`: one name of a control group, or a unit. */
export interface GroupRow {
  readonly node: number;
  readonly name: string;
  /** Node of the names below; 0 when policies go no further. */
  readonly next: number;
  /** What exemptions know the group by; 0 when none does. */
  readonly group: number;
  /** Label of the rules that have the group in their scope. */
  readonly scope: number;
}

/** Everything a bank holds, but for its number and the generation's. */
export interface GenerationImage {
  readonly rules: number;
  readonly enforce: RuleSet;
  /** Rules that hold only inside their scope. */
  readonly scoped: RuleSet;
  /** By operation number, 0 unused; then rules that list use and read, and use and write. */
  readonly op: readonly RuleSet[];
  readonly objects: readonly ObjectRow[];
  readonly names: readonly NameRow[];
  readonly labels: readonly RuleSet[];
  readonly exempt: readonly ExemptRow[];
  readonly groups: readonly GroupRow[];
}
