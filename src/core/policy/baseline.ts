// The rules that are part of every generation, whatever a bundle says. A bundle cannot redefine them:
// policy names with this prefix are refused when policies are compiled and when an IR is read.
//
// SPDX-License-Identifier: Apache-2.0

import { invariant } from '../result.ts';
import { OPERATIONS } from './document.ts';
import type { IrRule, PolicyIr } from './ir.ts';
import { compareBytes } from './text.ts';

/** Policy names with this beginning are Warder's own. */
export const BASELINE_PREFIX = 'warder-';

/** The rule that canaries are denied by; events of it are health checks, not incidents. */
export const CANARY_RULE = 'warder-baseline/canary';

/** Makes the baseline alone: what is enforced when no bundle is. */
export function baseline(canaryDir: string): PolicyIr {
  const canary: IrRule = {
    id: CANARY_RULE,
    mode: 'enforce',
    onMissingHook: 'audit', // a host without a hook cannot prove that hook, but must keep the rest
    reason: 'Warder proves with this directory that the kernel denies.',
    operations: [...OPERATIONS],
    objects: [{ kind: 'tree', path: canaryDir }],
    except: [],
    origin: { file: 'warder-baseline', line: 1, column: 1 },
  };
  return { irVersion: 1, rules: [canary] };
}

/** Joins a bundle's rules with the baseline, in the order of the IR. */
export function withBaseline(ir: PolicyIr, canaryDir: string): PolicyIr {
  invariant(
    ir.rules.every((rule) => !rule.id.startsWith(BASELINE_PREFIX)),
    'a bundle never carries baseline rules',
  );
  const rules = [...ir.rules, ...baseline(canaryDir).rules];
  return { irVersion: 1, rules: rules.sort((a, b) => compareBytes(a.id, b.id)) };
}
