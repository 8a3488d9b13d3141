// A policy as its author wrote it, after parsing. Shapes only; what it means is in decide.ts, what is
// refused is in lint.ts, how it is read from YAML is in wire/policy/.
//
// SPDX-License-Identifier: Apache-2.0

import type { SourcePosition } from '../result.ts';

/** Operations in the order of docs/POLICY_SEMANTICS.md; the index + 1 is the number in bpf/include/abi.h. */
export const OPERATIONS = [
  'read',
  'write',
  'create',
  'delete',
  'rename',
  'link',
  'setattr',
  'execute',
  'mount',
  'use',
] as const;

export type Operation = (typeof OPERATIONS)[number];

/** `modify` in a policy stands for these. */
export const MODIFY: readonly Operation[] = [
  'write',
  'create',
  'delete',
  'rename',
  'link',
  'setattr',
];

export type Mode = 'audit' | 'enforce';

/** What a host does that cannot attach a hook which the policy needs. */
export type OnMissingHook = 'refuse' | 'audit';

export interface PathObject {
  readonly kind: 'path';
  readonly path: string;
}

export interface TreeObject {
  readonly kind: 'tree';
  readonly path: string;
}

export type ProtectedObject = PathObject | TreeObject;

/** A subject that a rule does not apply to; the fields that are present must all hold. */
export interface Exemption {
  readonly exe?: string;
  /** fs-verity digest that the file of `exe` must have: `sha256:…`. */
  readonly digest?: string;
  readonly uid?: number;
  /** systemd unit, like `nginx.service`. */
  readonly unit?: string;
  /** Control group, as a path of the unified hierarchy; everything below it is inside. */
  readonly cgroup?: string;
  /** Executable of the parent process. */
  readonly parentExe?: string;
}

/** Processes that a policy is about; a process in any of these is inside. */
export interface Scope {
  readonly units: readonly string[];
  readonly cgroups: readonly string[];
}

export interface Rule {
  readonly id: string;
  readonly reason: string;
  readonly protect: readonly ProtectedObject[];
  /** Expanded (`modify` replaced), sorted by number, without repeats. */
  readonly deny: readonly Operation[];
  readonly except: readonly Exemption[];
  readonly iKnowThisCanLockMeOut: boolean;
  /** Of the rule's `id` in the policy file. */
  readonly at: SourcePosition;
}

export interface FilePolicy {
  readonly kind: 'FilePolicy';
  readonly name: string;
  readonly description: string;
  readonly mode: Mode;
  readonly onMissingHook: OnMissingHook;
  /** Null: all processes. */
  readonly scope: Scope | null;
  readonly rules: readonly Rule[];
  readonly at: SourcePosition;
}
