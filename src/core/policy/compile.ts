// From the policies of a repository to the canonical form that a bundle carries. Equal sets of policies
// give equal output, whatever the order of files, rules and list entries.
//
// Deliberately absent: advice. lint.ts refuses what is unwise; here only what has no meaning is refused.
//
// SPDX-License-Identifier: Apache-2.0

import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { BASELINE_PREFIX } from './baseline.ts';
import {
  type Exemption,
  type FilePolicy,
  OPERATIONS,
  type ProtectedObject,
  type Rule,
  type Scope,
} from './document.ts';
import { type IrRule, type PolicyIr, RULES_MAX } from './ir.ts';
import { compareBytes } from './text.ts';

/** Rules that policies may have together; the rest is the baseline's. */
export const POLICY_RULES_MAX = RULES_MAX - 16;

/** Compiles policies; duplicates, reserved names and too many rules are refused, all at once. */
export function compile(policies: readonly FilePolicy[]): Result<PolicyIr, readonly Failure[]> {
  const problems = [...findDuplicates(policies), ...findReserved(policies)];
  const rules = policies
    .flatMap((policy) => policy.rules.map((rule) => toIrRule(policy, rule)))
    .sort((a, b) => compareBytes(a.id, b.id));
  if (rules.length > POLICY_RULES_MAX) {
    problems.push(
      failure(
        'policy/too-many-rules',
        `${rules.length} rules, at most ${POLICY_RULES_MAX} fit into one generation`,
        { hints: ['join rules that differ only in their objects'] },
      ),
    );
  }
  return problems.length > 0 ? err(problems) : ok({ irVersion: 1, rules });
}

function findDuplicates(policies: readonly FilePolicy[]): Failure[] {
  const problems: Failure[] = [];
  const names = new Map<string, FilePolicy>();
  for (const policy of policies) {
    const earlier = names.get(policy.name);
    if (earlier !== undefined) {
      problems.push(
        failure('policy/duplicate-id', `two policies are named ${policy.name}`, {
          at: policy.at,
          causes: [`the other is at ${earlier.at.file}:${earlier.at.line}`],
        }),
      );
    } else names.set(policy.name, policy);
    const ids = new Map<string, Rule>();
    for (const rule of policy.rules) {
      const first = ids.get(rule.id);
      if (first !== undefined) {
        problems.push(
          failure('policy/duplicate-id', `two rules of ${policy.name} have the id ${rule.id}`, {
            at: rule.at,
            causes: [`the other is at ${first.at.file}:${first.at.line}`],
          }),
        );
      } else ids.set(rule.id, rule);
    }
  }
  return problems;
}

function findReserved(policies: readonly FilePolicy[]): Failure[] {
  return policies
    .filter((policy) => policy.name.startsWith(BASELINE_PREFIX))
    .map((policy) =>
      failure('policy/reserved-name', `the policy name ${policy.name} is reserved`, {
        at: policy.at,
        hints: [`names that begin with "${BASELINE_PREFIX}" belong to rules shipped with Warder`],
      }),
    );
}

function toIrRule(policy: FilePolicy, rule: Rule): IrRule {
  return {
    id: `${policy.name}/${rule.id}`,
    mode: policy.mode,
    onMissingHook: policy.onMissingHook,
    reason: rule.reason,
    operations: OPERATIONS.filter((operation) => rule.deny.includes(operation)),
    objects: unique(rule.protect.map(toPlainObject), compareObjects),
    except: unique(rule.except.map(toPlainExemption), compareExemptions),
    ...(rule.iKnowThisCanLockMeOut ? { acceptsLockout: true as const } : {}),
    ...(policy.scope === null ? {} : { scope: toPlainScope(policy.scope) }),
    origin: rule.at,
  };
}

// Only the fields of the IR: what a parser keeps beside them must not reach the bundle.
function toPlainObject({ kind, path }: ProtectedObject): ProtectedObject {
  return { kind, path };
}

/** The fields that an exemption has, and no others; a field that is undefined is left out. */
export function toPlainExemption(
  entry: {
    readonly [field in keyof Exemption]?: Exemption[field] | undefined;
  },
): Exemption {
  const { exe, digest, uid, unit, cgroup, parentExe } = entry;
  return {
    ...(exe === undefined ? {} : { exe }),
    ...(digest === undefined ? {} : { digest }),
    ...(uid === undefined ? {} : { uid }),
    ...(unit === undefined ? {} : { unit }),
    ...(cgroup === undefined ? {} : { cgroup }),
    ...(parentExe === undefined ? {} : { parentExe }),
  };
}

function toPlainScope({ units, cgroups }: Scope): Scope {
  return { units: unique(units, compareBytes), cgroups: unique(cgroups, compareBytes) };
}

/** Orders objects by path, then `path` before `tree`. */
export function compareObjects(a: ProtectedObject, b: ProtectedObject): number {
  return compareBytes(a.path, b.path) || compareBytes(a.kind, b.kind);
}

/** Orders exemptions by exe, uid, digest, unit, cgroup and parentExe; none of a field comes first. */
export function compareExemptions(a: Exemption, b: Exemption): number {
  return (
    compareBytes(a.exe ?? '', b.exe ?? '') ||
    (a.uid ?? -1) - (b.uid ?? -1) ||
    compareBytes(a.digest ?? '', b.digest ?? '') ||
    compareBytes(a.unit ?? '', b.unit ?? '') ||
    compareBytes(a.cgroup ?? '', b.cgroup ?? '') ||
    compareBytes(a.parentExe ?? '', b.parentExe ?? '')
  );
}

function unique<T>(items: readonly T[], compare: (a: T, b: T) => number): T[] {
  const sorted = [...items].sort(compare);
  return sorted.filter((item, at) => {
    const before = sorted[at - 1];
    return before === undefined || compare(before, item) !== 0;
  });
}
