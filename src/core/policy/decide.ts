// The meaning of a policy: decide() answers every request, pure and total. It is the reference for
// bpf/lib/decide.h; rule numbers are those of docs/POLICY_SEMANTICS.md.
//
// Invariants: the order of rules, objects and exemptions has no influence (DECIDE-3); adding a rule
// never turns a deny into something milder (DECIDE-4), but for the destination that it protects
// (REFER-2).
//
// Deliberately absent: symlinks, mounts and missing information. Requests name files as the filesystem
// has them; a decision that cannot be completed exists only in the kernel, and is a deny there.
//
// SPDX-License-Identifier: Apache-2.0

import type { Operation } from './document.ts';
import type { IrRule, PolicyIr } from './ir.ts';
import { isBelow, isWithin, parentOf } from './path.ts';
import type { Request, Verdict } from './request.ts';
import { isInScope, matches } from './subject.ts';
import { compareBytes } from './text.ts';

const ALLOW: Verdict = { verdict: 'allow', rule: null, reason: null, errno: null };

/** A rule that would deny the request, and by which kind of reasoning. */
export interface Covering {
  readonly rule: IrRule;
  readonly reason: 'rule' | 'refer';
}

/** Decides a request: deny wins over audit wins over allow. */
export function decide(ir: PolicyIr, request: Request): Verdict {
  const covering = findCovering(ir, request);
  const enforced = smallest(covering.filter(({ rule }) => rule.mode === 'enforce'));
  if (enforced !== null) {
    return {
      verdict: 'deny',
      rule: enforced.rule.id,
      reason: enforced.reason,
      errno: 'EACCES',
    };
  }
  const audited = smallest(covering);
  if (audited === null) return ALLOW;
  return { verdict: 'audit', rule: audited.rule.id, reason: audited.reason, errno: null };
}

/** Finds every rule that covers the request, of both modes. */
export function findCovering(ir: PolicyIr, request: Request): readonly Covering[] {
  const inForce = ir.rules.filter(
    (rule) =>
      isInScope(rule.scope, request) && // SCOPE-1
      !rule.except.some((entry) => matches(entry, request)), // SUBJ-3, SUBJ-5
  );
  const covering: Covering[] = [];
  for (const rule of inForce) {
    if (coversTerm(rule, request)) covering.push({ rule, reason: 'rule' });
    else if (leavesTree(rule, inForce, request)) covering.push({ rule, reason: 'refer' });
  }
  return covering;
}

// A request is the union of what it does: a rename also creates a name and may delete a victim.
function coversTerm(rule: IrRule, request: Request): boolean {
  const { operation, path, to } = request;
  const identity = request.identity ?? path;
  switch (operation) {
    case 'create': // OP-3: there is no inode yet, so only names count
      return denies(rule, 'create') && coversName(rule, path);
    case 'delete': // OP-4
      return denies(rule, 'delete') && losesObject(rule, path, identity);
    case 'rename': // OP-5
      return (
        (denies(rule, 'rename') && losesObject(rule, path, identity)) ||
        (to !== undefined && denies(rule, 'create') && coversName(rule, to)) ||
        (to !== undefined &&
          request.replaces === true &&
          denies(rule, 'delete') &&
          losesObject(rule, to, to))
      );
    case 'link': // OP-6
      return (
        (denies(rule, 'link') && coversObject(rule, path, identity)) ||
        (to !== undefined && denies(rule, 'create') && coversName(rule, to))
      );
    case 'mount': // OP-10
      return denies(rule, 'mount') && losesObject(rule, path, identity);
    case 'use': // OP-11
      return deniesUse(rule, request) && coversObject(rule, path, identity);
    default: // OP-1, OP-2, OP-7, OP-8
      return denies(rule, operation) && coversObject(rule, path, identity);
  }
}

function denies(rule: IrRule, operation: Operation): boolean {
  return rule.operations.includes(operation);
}

// OP-11: `use` carries what the rule denies anyway over to descriptors that are open already.
function deniesUse(rule: IrRule, request: Request): boolean {
  return request.access !== undefined && denies(rule, 'use') && denies(rule, request.access);
}

// OBJ-1, OBJ-2, TREE-1: an object is covered by what it is and by what it is called.
function coversObject(rule: IrRule, path: string, identity: string): boolean {
  return coversName(rule, path) || coversName(rule, identity);
}

function coversName(rule: IrRule, path: string): boolean {
  return rule.objects.some((object) =>
    object.kind === 'path' ? object.path === path : isWithin(path, object.path),
  );
}

// OBJ-5: taking a directory away, or hiding it, takes the protected names below it away.
function losesObject(rule: IrRule, path: string, identity: string): boolean {
  return (
    coversObject(rule, path, identity) ||
    rule.objects.some((object) => isBelow(object.path, identity))
  );
}

// REFER-1 to REFER-4: what leaves a tree must not become less protected than it was.
function leavesTree(rule: IrRule, inForce: readonly IrRule[], request: Request): boolean {
  const { operation, path, to } = request;
  if (to === undefined || (operation !== 'rename' && operation !== 'link')) return false;
  if (parentOf(path) === parentOf(to) || !holdsTreeAbove(rule, path)) return false;
  const carriers = inForce.filter(
    (other) => holdsTreeAbove(other, to) && (rule.mode === 'audit' || other.mode === 'enforce'), // REFER-3
  );
  return rule.operations.some((it) => !carriers.some((carrier) => denies(carrier, it)));
}

function holdsTreeAbove(rule: IrRule, path: string): boolean {
  return rule.objects.some((object) => object.kind === 'tree' && isBelow(path, object.path));
}

// DECIDE-5: the smallest `policy/rule` in byte order is the one reported.
function smallest(covering: readonly Covering[]): Covering | null {
  let least: Covering | null = null;
  for (const it of covering) {
    if (least === null || compareBytes(it.rule.id, least.rule.id) < 0) least = it;
  }
  return least;
}
