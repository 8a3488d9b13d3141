// From rules and the facts of a host to the tables of a generation. The kernel's decision over these
// tables equals decide() over the rules (test/vectors/ and test/native/ hold both to it).
//
// Invariants: a label is a set of rules, each set once, label 0 empty; whatever names a row of `names`
// has, its directory's object says so (hasNames), since the kernel looks up names only there.
//
// Deliberately absent: reading anything of the host; see resolution.ts for the facts.
//
// SPDX-License-Identifier: Apache-2.0

import { OPERATIONS, type Operation, type ProtectedObject } from '../policy/document.ts';
import type { IrRule, PolicyIr } from '../policy/ir.ts';
import { err, invariant, ok, type Result } from '../result.ts';
import { buildExemptions, collectExeClasses } from './exemptions.ts';
import { toFailure } from './gaps.ts';
import { buildGroups, numberGroups } from './groups.ts';
import type { GenerationImage, RuleSet } from './image.ts';
import type { PathFound, Resolution } from './resolution.ts';
import { Tables } from './tables.ts';

const LOSING: readonly Operation[] = ['delete', 'rename', 'mount'];

/** Builds the image; fails for a protected path that was not found, as {@link toFailure} says. */
export function buildImage(ir: PolicyIr, resolution: Resolution): Result<GenerationImage> {
  const tables = new Tables();
  for (const [index, rule] of ir.rules.entries()) {
    const bit = 1n << BigInt(index);
    for (const object of rule.objects) {
      const fact = resolution.get(object.path);
      invariant(fact !== undefined, `${object.path} was resolved`);
      if (fact.kind !== 'found') return err(toFailure(rule, object.path, fact));
      addObject(tables, rule, bit, object, fact);
    }
  }
  const classes = collectExeClasses(ir, resolution, tables);
  const numbers = numberGroups(ir);
  const exempt = buildExemptions(ir, classes, numbers, tables);
  const groups = buildGroups(ir, numbers, tables);
  return ok({
    rules: ir.rules.length,
    enforce: selectRules(ir, (rule) => rule.mode === 'enforce'),
    scoped: selectRules(ir, (rule) => rule.scope !== undefined),
    op: [
      0n,
      ...OPERATIONS.map((operation) =>
        selectRules(ir, (rule) => rule.operations.includes(operation)),
      ),
      selectRules(ir, (rule) => lists(rule, 'use', 'read')), // OP-11
      selectRules(ir, (rule) => lists(rule, 'use', 'write')),
    ],
    ...tables.toRows(),
    exempt,
    groups,
  });
}

function addObject(
  tables: Tables,
  rule: IrRule,
  bit: RuleSet,
  object: ProtectedObject,
  fact: PathFound,
): void {
  const part = object.kind === 'tree' ? 'tree' : 'self';
  // OBJ-5: only rules that deny losing a name need to know what lies above it.
  const guardsAbove = LOSING.some((operation) => rule.operations.includes(operation));
  for (const name of fact.names) {
    tables.nameAt(name.directories[0], name.name)[part] |= bit;
    if (name.target !== null) tables.objectAt(name.target)[part] |= bit;
    if (!guardsAbove) continue;
    for (const directory of name.directories) tables.objectAt(directory).ancestor |= bit;
  }
  if (object.kind !== 'tree') return;
  for (const identity of fact.linked) tables.objectAt(identity).self |= bit; // TREE-4
  for (const identity of fact.mountRoots) tables.objectAt(identity).tree |= bit;
}

function lists(rule: IrRule, ...operations: readonly Operation[]): boolean {
  return operations.every((it) => rule.operations.includes(it));
}

function selectRules(ir: PolicyIr, test: (rule: IrRule) => boolean): RuleSet {
  let set = 0n;
  for (const [index, rule] of ir.rules.entries()) if (test(rule)) set |= 1n << BigInt(index);
  return set;
}
