// From the bytes of a policy repository's files to core types. Everything that is wrong with a file is
// reported at once, each at its line and column.
//
// SPDX-License-Identifier: Apache-2.0

import { toPlainExemption } from '../../core/policy/compile.ts';
import { type FilePolicy, MODIFY, OPERATIONS, type Rule } from '../../core/policy/document.ts';
import type { Request } from '../../core/policy/request.ts';
import type { PolicyTest } from '../../core/policy/run-tests.ts';
import { err, type Failure, ok, type Result } from '../../core/result.ts';
import { fitShape } from '../zod-words.ts';
import { toFailures } from './issues.ts';
import { filePolicySchema, policyTestSchema } from './schema.ts';
import { type LocatedYaml, parseYaml } from './yaml.ts';

type RuleInput = ReturnType<typeof filePolicySchema.parse>['spec']['rules'][number];
type RequestInput = ReturnType<typeof policyTestSchema.parse>['tests'][number]['request'];

/** Reads a policy file; `file` is its path in the policy repository, for positions. */
export function parsePolicyFile(
  file: string,
  bytes: Uint8Array,
): Result<FilePolicy, readonly Failure[]> {
  const yaml = parseYaml(file, bytes);
  if (!yaml.ok) return yaml;
  const parsed = fitShape(filePolicySchema, yaml.value.value);
  if (!parsed.success) return err(toFailures(file, yaml.value, parsed.error));
  const { metadata, spec } = parsed.data;
  return ok({
    kind: 'FilePolicy',
    name: metadata.name,
    description: metadata.description ?? '',
    mode: spec.mode,
    onMissingHook: spec.onMissingHook ?? 'refuse',
    scope:
      spec.scope === undefined
        ? null
        : { units: spec.scope.units ?? [], cgroups: spec.scope.cgroups ?? [] },
    rules: spec.rules.map((rule, index) => toRule(rule, index, yaml.value)),
    at: yaml.value.at(['metadata', 'name']),
  });
}

/** Reads a `*.test.yaml` file. */
export function parsePolicyTestFile(
  file: string,
  bytes: Uint8Array,
): Result<readonly PolicyTest[], readonly Failure[]> {
  const yaml = parseYaml(file, bytes);
  if (!yaml.ok) return yaml;
  const parsed = fitShape(policyTestSchema, yaml.value.value);
  if (!parsed.success) return err(toFailures(file, yaml.value, parsed.error));
  return ok(
    parsed.data.tests.map((test, index) => ({
      name: test.name ?? `${test.request.operation} ${test.request.path}`,
      request: toRequest(test.request),
      expect: test.expect,
      rule: test.rule ?? null,
      at: yaml.value.at(['tests', index]),
    })),
  );
}

function toRule(rule: RuleInput, index: number, yaml: LocatedYaml): Rule {
  const listed = rule.deny === 'modify' ? [rule.deny] : rule.deny;
  const deny = new Set(listed.flatMap((it) => (it === 'modify' ? MODIFY : [it])));
  return {
    id: rule.id,
    reason: rule.reason,
    protect: rule.protect.map(({ path, tree }) =>
      path === undefined ? { kind: 'tree', path: tree ?? '' } : { kind: 'path', path },
    ),
    deny: OPERATIONS.filter((operation) => deny.has(operation)),
    except: (rule.except ?? []).map(toPlainExemption),
    iKnowThisCanLockMeOut: rule.iKnowThisCanLockMeOut ?? false,
    at: yaml.at(['spec', 'rules', index, 'id']),
  };
}

/** Drops fields that are absent, which exact optional types tell from `undefined`. */
export function toRequest(input: RequestInput): Request {
  const { operation, path, identity, to, replaces, access } = input;
  const { exe, exeDigest, uid, cgroup, parentExe } = input;
  return {
    operation,
    path,
    ...(identity === undefined ? {} : { identity }),
    ...(to === undefined ? {} : { to }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(access === undefined ? {} : { access }),
    ...(exe === undefined ? {} : { exe }),
    ...(exeDigest === undefined ? {} : { exeDigest }),
    ...(uid === undefined ? {} : { uid }),
    ...(cgroup === undefined ? {} : { cgroup }),
    ...(parentExe === undefined ? {} : { parentExe }),
  };
}
