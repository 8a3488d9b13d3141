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

/** `exe` null is any executable, `uid` null any user; both null says that exe exemptions exist. */
export interface ExemptRow {
  readonly exe: number | null;
  readonly uid: number | null;
  readonly label: number;
}

/** Everything a bank holds, but for its number and the generation's. */
export interface GenerationImage {
  readonly rules: number;
  readonly enforce: RuleSet;
  /** By operation number, 0 unused. */
  readonly op: readonly RuleSet[];
  readonly objects: readonly ObjectRow[];
  readonly names: readonly NameRow[];
  readonly labels: readonly RuleSet[];
  readonly exempt: readonly ExemptRow[];
}
