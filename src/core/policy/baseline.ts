// The rules that are part of every generation, whatever a bundle says. A bundle cannot redefine them:
// policy names with this prefix are refused when policies are compiled and when an IR is read.
//
// SPDX-License-Identifier: Apache-2.0

import { invariant } from '../result.ts';
import { MODIFY, OPERATIONS, type ProtectedObject } from './document.ts';
import type { IrRule, PolicyIr } from './ir.ts';
import { compareBytes } from './text.ts';

/** Policy names with this beginning are Warder's own. */
export const BASELINE_PREFIX = 'warder-';

/** The rule that canaries are denied by; events of it are health checks, not incidents. */
export const CANARY_RULE = 'warder-baseline/canary';

/** The rules that close Warder's own files to everybody but the enforcer. */
export const SELF_RULES = {
  programs: 'warder-baseline/programs',
  store: 'warder-baseline/store',
  unit: 'warder-baseline/unit',
} as const;

/** What Warder runs on, on this host. */
export interface SelfPaths {
  /** Programs, configuration and pins: only the enforcer changes them. */
  readonly programs: readonly ProtectedObject[];
  /** Only the enforcer reads it, too. */
  readonly store: string;
  /** The service's control group, and the program of init, which manages it; null without one. */
  readonly unit: { readonly cgroup: string; readonly init: string } | null;
}

/** Makes the baseline alone: what is enforced when no bundle is. */
export function baseline(canaryDir: string, self: SelfPaths | null = null): PolicyIr {
  const canary: IrRule = {
    id: CANARY_RULE,
    mode: 'enforce',
    onMissingHook: 'audit', // a host without a hook cannot prove that hook, but must keep the rest
    reason: 'Warder proves with this directory that the kernel denies.',
    // Not `use`: its hook costs every read and write of the host, so only bundles ask for it.
    operations: OPERATIONS.filter((it) => it !== 'use'),
    objects: [{ kind: 'tree', path: canaryDir }],
    except: [],
    origin: { file: 'warder-baseline', line: 1, column: 1 },
  };
  return { irVersion: 1, rules: [canary, ...(self === null ? [] : selfRules(self))] };
}

/** Joins a bundle's rules with the baseline, in the order of the IR. */
export function withBaseline(
  ir: PolicyIr,
  canaryDir: string,
  self: SelfPaths | null = null,
): PolicyIr {
  invariant(
    ir.rules.every((rule) => !rule.id.startsWith(BASELINE_PREFIX)),
    'a bundle never carries baseline rules',
  );
  const rules = [...ir.rules, ...baseline(canaryDir, self).rules];
  return { irVersion: 1, rules: rules.sort((a, b) => compareBytes(a.id, b.id)) };
}

// No exemption names the enforcer: the kernel exempts it by its lineage (bpf/lib/self.h), not by a file.
function selfRules({ programs, store, unit }: SelfPaths): readonly IrRule[] {
  const rule = (
    id: string,
    reason: string,
    line: number,
    more: Pick<IrRule, 'operations' | 'objects' | 'except'>,
  ): IrRule => ({
    id,
    mode: 'enforce',
    onMissingHook: 'audit',
    reason,
    ...more,
    origin: { file: 'warder-baseline', line, column: 1 },
  });
  return [
    rule(SELF_RULES.programs, 'Only the enforcer changes what Warder runs on.', 2, {
      operations: [...MODIFY],
      objects: programs,
      except: [],
    }),
    rule(SELF_RULES.store, "Only the enforcer touches the enforcer's store.", 3, {
      operations: [...OPERATIONS],
      objects: [{ kind: 'tree', path: store }],
      except: [],
    }),
    ...(unit === null
      ? []
      : [
          rule(SELF_RULES.unit, 'Only init manages the control group of the enforcer.', 4, {
            operations: [...MODIFY],
            objects: [{ kind: 'tree', path: unit.cgroup }],
            except: [{ exe: unit.init }],
          }),
        ]),
  ];
}
