// The part of lint that looks at rules side by side: what one rule makes pointless, and which exempt
// programs nobody guards.
//
// SPDX-License-Identifier: Apache-2.0

import type { Exemption, FilePolicy, Operation, ProtectedObject, Rule, Scope } from './document.ts';
import type { Finding } from './finding.ts';
import { isWithin } from './path.ts';

interface Placed {
  readonly policy: FilePolicy;
  readonly rule: Rule;
}

// Whoever may do one of these to an exempt program becomes it.
const TAKING_OVER: readonly Operation[] = ['write', 'create', 'delete', 'rename'];

/** Finds rules that deny nothing which another rule does not deny already. */
export function findShadowed(policies: readonly FilePolicy[]): Finding[] {
  const placed = place(policies);
  return placed.flatMap((inner, at) => {
    // Of two equal rules the later one is the shadowed one, so that one of them stays.
    const outer = placed.find(
      (it, index) => index !== at && shadows(it, inner) && (index < at || !shadows(inner, it)),
    );
    if (outer === undefined) return [];
    return [
      {
        severity: 'warning',
        code: 'policy/rule-shadowed',
        message: `rule ${inner.rule.id}: everything it denies is denied by ${outer.policy.name}/${outer.rule.id}`,
        hint: 'remove it, or narrow the other rule',
        at: inner.rule.at,
      } as const,
    ];
  });
}

function shadows(outer: Placed, inner: Placed): boolean {
  return (
    (outer.policy.mode === 'enforce' || inner.policy.mode === 'audit') &&
    isWithinScope(inner.policy.scope, outer.policy.scope) &&
    inner.rule.deny.every((operation) => outer.rule.deny.includes(operation)) &&
    inner.rule.protect.every((object) => outer.rule.protect.some((it) => contains(it, object))) &&
    outer.rule.except.every((entry) => inner.rule.except.some((it) => implies(entry, it)))
  );
}

// Everybody whom the inner policy is about is somebody whom the outer is about.
function isWithinScope(inner: Scope | null, outer: Scope | null): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  return (
    inner.units.every((unit) => outer.units.includes(unit)) &&
    inner.cgroups.every((it) => outer.cgroups.some((other) => isWithin(it, other)))
  );
}

function contains(outer: ProtectedObject, inner: ProtectedObject): boolean {
  if (outer.kind === 'tree') return isWithin(inner.path, outer.path);
  return inner.kind === 'path' && inner.path === outer.path;
}

// Every subject that `narrow` matches is matched by `wide`.
function implies(narrow: Exemption, wide: Exemption): boolean {
  return (
    (wide.exe === undefined || wide.exe === narrow.exe) &&
    (wide.digest === undefined || wide.digest === narrow.digest) &&
    (wide.uid === undefined || wide.uid === narrow.uid) &&
    (wide.unit === undefined || wide.unit === narrow.unit) &&
    (wide.parentExe === undefined || wide.parentExe === narrow.parentExe) &&
    (wide.cgroup === undefined ||
      (narrow.cgroup !== undefined && isWithin(narrow.cgroup, wide.cgroup)))
  );
}

/** Finds exempt programs that somebody else could replace. */
export function findUnprotectedExes(policies: readonly FilePolicy[]): Finding[] {
  const placed = place(policies);
  const seen = new Set<string>();
  return placed.flatMap(({ rule }) =>
    rule.except
      .flatMap(({ exe, digest, parentExe }) => [digest === undefined ? exe : undefined, parentExe])
      .flatMap((exe) => {
        if (exe === undefined || seen.has(exe) || isGuarded(placed, exe)) return [];
        seen.add(exe);
        return [
          {
            severity: 'warning',
            code: 'policy/exempt-unprotected',
            message: `rule ${rule.id}: ${exe} is exempt, but nothing keeps it from being replaced`,
            hint: `protect ${exe} with deny: modify, exempting only the package manager`,
            at: rule.at,
          } as const,
        ];
      }),
  );
}

function isGuarded(placed: readonly Placed[], exe: string): boolean {
  return TAKING_OVER.every((operation) =>
    placed.some(
      ({ policy, rule }) =>
        policy.mode === 'enforce' &&
        rule.deny.includes(operation) &&
        rule.protect.some((object) => contains(object, { kind: 'path', path: exe })),
    ),
  );
}

function place(policies: readonly FilePolicy[]): Placed[] {
  return policies.flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })));
}
