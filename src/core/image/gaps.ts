// Rules without what cannot be resolved on this host. A bundle that is new is refused as a whole; one that was
// in force here before must not be lost because a disk is not mounted yet, or because somebody made one of its
// paths unreadable: everything else of it still holds (LIVE-11).
//
// SPDX-License-Identifier: Apache-2.0

import { BASELINE_PREFIX } from '../policy/baseline.ts';
import type { IrRule, PolicyIr } from '../policy/ir.ts';
import { type Failure, failure } from '../result.ts';
import type { ParentMissing, Resolution, Unresolved } from './resolution.ts';

/** A policy path that is not in a generation, or not all of it. */
export interface Gap {
  readonly path: string;
  readonly why: Failure;
  /** The directory that has to appear first; null when that is not what is missing. */
  readonly missing: string | null;
}

/** Whether a path that cannot be resolved is left out; where not, nothing is compiled. */
export type MayLeaveOut = (path: string) => boolean;

/** What of a policy can be in force, and what cannot. */
export interface Spared {
  readonly ir: PolicyIr;
  /** Each path once, in the order of the rules. */
  readonly gaps: readonly Gap[];
}

/**
 * Takes out the objects that were not found and may be left out. Rules keep their number, without objects
 * too. Warder's own rules are never without one: building fails there.
 */
export function spare(ir: PolicyIr, resolution: Resolution, mayLeaveOut: MayLeaveOut): Spared {
  const gaps = new Map<string, Gap>();
  const note = (rule: IrRule, path: string): boolean => {
    const fact = resolution.get(path);
    if (fact === undefined || !mayLeaveOut(path)) return false;
    const missing = fact.kind === 'parent-missing' ? fact.missing : null;
    const why = fact.kind === 'found' ? fact.unknown : toFailure(rule, path, fact);
    if (why !== null && !gaps.has(path)) gaps.set(path, { path, why, missing });
    return fact.kind !== 'found';
  };
  const rules = ir.rules.map((rule) => {
    if (rule.id.startsWith(BASELINE_PREFIX)) return rule;
    for (const { exe, parentExe } of rule.except) {
      for (const path of [exe, parentExe]) {
        // A program whose directory is missing is no gap: nobody can run it, so nobody is exempt (LIVE-3).
        const isGone = path !== undefined && resolution.get(path)?.kind === 'parent-missing';
        if (path !== undefined && !isGone) note(rule, path);
      }
    }
    return { ...rule, objects: rule.objects.filter(({ path }) => !note(rule, path)) };
  });
  return { ir: { ...ir, rules }, gaps: [...gaps.values()] };
}

/** Why a path of a rule cannot be protected. */
export function toFailure(rule: IrRule, path: string, fact: ParentMissing | Unresolved): Failure {
  if (fact.kind === 'unresolved') return fact.failure;
  const { missing } = fact;
  return failure('stage/parent-missing', `${path} cannot be protected: ${missing} does not exist`, {
    causes: [`rule ${rule.id}`],
    hints: [`create ${missing}, or protect it as a tree in a policy for hosts that have it`],
    at: rule.origin,
  });
}
