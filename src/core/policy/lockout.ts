// Whether a rule takes from the survival set what it lives on. One answer for the author (lint) and for the
// host (activation): a bundle that was built without lint locks nobody out either.
//
// SPDX-License-Identifier: Apache-2.0

import type { Exemption, Operation, ProtectedObject, Scope } from './document.ts';
import type { IrRule } from './ir.ts';
import { isWithin } from './path.ts';
import { SURVIVAL, type SurvivalNeed } from './survival.ts';

const SURVIVAL_UNITS =
  /^(?:warder|systemd|dbus|ssh|getty|serial-getty|console-getty|user@|apt|dpkg|packagekit|rescue|emergency)/;

/** What of a rule matters here. */
export interface LockoutRule {
  readonly operations: readonly Operation[];
  readonly objects: readonly ProtectedObject[];
  readonly except: readonly Exemption[];
  readonly scope?: Scope;
}

/** A member of the survival set that a rule would keep from its own state. */
export interface Lockout {
  readonly need: SurvivalNeed;
  readonly operations: readonly Operation[];
  readonly paths: readonly string[];
}

/** Everybody that a rule in mode enforce would lock out. */
export function findLockouts(rule: LockoutRule): readonly Lockout[] {
  if (isNarrow(rule.scope)) return [];
  return SURVIVAL.map((need) => ({
    need,
    operations: need.operations.filter((it) => rule.operations.includes(it)),
    paths: touched(rule, need),
  })).filter(
    ({ need, operations, paths }) =>
      operations.length > 0 &&
      paths.length > 0 &&
      !rule.except.some((entry) => keepsAlive(entry, need)),
  );
}

/** The rules of a bundle that would lock somebody out, and whose author did not say that this is wanted. */
export function findBaselineViolations(rules: readonly IrRule[]): readonly string[] {
  return rules
    .filter((rule) => rule.mode === 'enforce' && rule.acceptsLockout !== true)
    .flatMap((rule) =>
      findLockouts(rule).map(
        ({ need, operations, paths }) =>
          `${rule.id}: ${need.member} could not ${operations.join(', ')} ${paths.join(', ')}`,
      ),
    );
}

// A rule takes state away from above (a tree over it) as from inside (a file in it).
function touched({ objects }: LockoutRule, need: SurvivalNeed): readonly string[] {
  return need.paths.filter((path) =>
    objects.some(
      (object) =>
        isWithin(object.path, path) || (object.kind === 'tree' && isWithin(path, object.path)),
    ),
  );
}

// Slices and groups may hold the survival set; a service that is none of it holds only itself.
function isNarrow(scope: Scope | undefined): boolean {
  if (scope === undefined || scope.cgroups.length > 0) return false;
  return scope.units.every((unit) => unit.endsWith('.service') && !SURVIVAL_UNITS.test(unit));
}

function keepsAlive(entry: Exemption, need: SurvivalNeed): boolean {
  const { exe, uid, digest, unit, cgroup, parentExe } = entry;
  // Whatever narrows an exemption further may be false when it is needed.
  if ([digest, unit, cgroup, parentExe].some((it) => it !== undefined)) return false;
  if (uid !== undefined && uid !== 0) return false;
  return exe === undefined || need.exes.includes(exe);
}
