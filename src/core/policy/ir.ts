// The compiled form of a set of policies: what a bundle carries and hosts enforce. Canonical: rules in
// byte order of their id, every list sorted and without repeats, so that equal meaning from equal
// sources gives equal bytes (RFC 8785 on the wire, see wire/policy/ir.ts).
//
// SPDX-License-Identifier: Apache-2.0

import type { SourcePosition } from '../result.ts';
import type {
  Exemption,
  Mode,
  OnMissingHook,
  Operation,
  ProtectedObject,
  Scope,
} from './document.ts';

export interface IrRule {
  /** `policy/rule`, unique. */
  readonly id: string;
  readonly mode: Mode;
  readonly onMissingHook: OnMissingHook;
  readonly reason: string;
  readonly operations: readonly Operation[];
  readonly objects: readonly ProtectedObject[];
  readonly except: readonly Exemption[];
  /** Its author said that it may lock the survival set out; absent otherwise. */
  readonly acceptsLockout?: true;
  /** Absent: the rule is about all processes. */
  readonly scope?: Scope;
  /** Where the rule stands in the policy repository; the file is relative to its root. */
  readonly origin: SourcePosition;
}

export interface PolicyIr {
  readonly irVersion: 1;
  readonly rules: readonly IrRule[];
}

/** Rules of one generation, the baseline included; WD_RULES_MAX in bpf/include/abi.h. */
export const RULES_MAX = 1024;

/**
 * Protected objects of one generation, of all sources together. No bundle reaches it by itself: its compiled
 * policy is a file of LIMITS.fileBytesMax at most, with 26 bytes for an object at least.
 */
export const OBJECTS_MAX = 262_144;
