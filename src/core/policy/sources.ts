// Rules of several sources in one generation. Joined, they must mean what each means by itself: deny if any
// source denies. That holds for everything but one thing: a tree of one source may carry what leaves a tree of
// another (REFER-2), and whoever is exempt there would get what the other denies. So a pair of rules that
// could do that is found here, and the bundle that brings the second one is refused.
//
// Invariants: exemptions and scopes are of one rule each, so none reaches over to another source; the rules of
// the main source keep their names, so that a second source renames nothing in events.
//
// SPDX-License-Identifier: Apache-2.0

import { POLICY_RULES_MAX } from './compile.ts';
import { type IrRule, OBJECTS_MAX, type PolicyIr } from './ir.ts';
import { compareBytes } from './text.ts';

/** The source that the configuration names at its top. */
export const MAIN_SOURCE = '';

/** What one source brings. */
export interface SourceRules {
  readonly source: string;
  readonly ir: PolicyIr;
}

/** Joins the rules; those of a named source are called `SOURCE:POLICY/RULE`. */
export function joinSources(parts: readonly SourceRules[]): PolicyIr {
  const rules = parts.flatMap(({ source, ir }) =>
    source === MAIN_SOURCE ? ir.rules : ir.rules.map((it) => ({ ...it, id: `${source}:${it.id}` })),
  );
  return { irVersion: 1, rules: rules.sort((a, b) => compareBytes(a.id, b.id)) };
}

/** The source of a rule of a generation; no policy has a colon in its name. */
export function sourceOfRule(id: string): string {
  const colon = id.indexOf(':');
  return colon < 0 ? MAIN_SOURCE : id.slice(0, colon);
}

/** More than one generation holds, of rules or of protected objects. */
export interface Excess {
  readonly what: 'rules' | 'objects';
  readonly count: number;
  readonly max: number;
}

/** SOURCE-3: what is too much of all sources together; null when it fits. */
export function findExcess(parts: readonly SourceRules[]): Excess | null {
  const rules = parts.reduce((sum, it) => sum + it.ir.rules.length, 0);
  if (rules > POLICY_RULES_MAX) return { what: 'rules', count: rules, max: POLICY_RULES_MAX };
  const objects = parts.reduce((sum, it) => sum + countObjects(it.ir), 0);
  return objects > OBJECTS_MAX ? { what: 'objects', count: objects, max: OBJECTS_MAX } : null;
}

/** Protected objects of a policy, as its rules list them. */
export function countObjects({ rules }: PolicyIr): number {
  return rules.reduce((sum, rule) => sum + rule.objects.length, 0);
}

/** A rule whose tree could be left for the tree of another source's rule. */
export interface SourceConflict {
  readonly left: string;
  readonly carrier: string;
}

// SOURCE-2: a rule that lists rename and link denies every move out of its tree by itself, and a carrier that
// lists create denies the arrival; only between the others does REFER decide.
/** The pairs that would not mean together what they mean apart. */
export function findSourceConflicts(parts: readonly SourceRules[]): readonly SourceConflict[] {
  const trees = parts.flatMap(({ source, ir }) =>
    ir.rules.filter(hasTree).map((rule) => ({ source, rule })),
  );
  const carriers = trees.filter(({ rule }) => !rule.operations.includes('create'));
  return trees
    .filter(({ rule }) => !(rule.operations.includes('rename') && rule.operations.includes('link')))
    .flatMap((left) =>
      carriers
        .filter((it) => it.source !== left.source && carriesFor(it.rule, left.rule))
        .map((it) => ({ left: nameOf(left), carrier: nameOf(it) })),
    );
}

function carriesFor(carrier: IrRule, left: IrRule): boolean {
  const counts = left.mode === 'audit' || carrier.mode === 'enforce'; // REFER-3
  return counts && left.operations.some((it) => carrier.operations.includes(it));
}

function hasTree(rule: IrRule): boolean {
  return rule.objects.some((object) => object.kind === 'tree');
}

function nameOf({ source, rule }: { source: string; rule: IrRule }): string {
  return source === MAIN_SOURCE ? rule.id : `${source}:${rule.id}`;
}
