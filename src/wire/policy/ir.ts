// The compiled policies as bytes: RFC 8785 JSON. What arrives from a registry is a stranger's: it must be
// canonical to the byte, sorted, unique, inside the bounds, and must not touch the baseline's names.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import { BASELINE_PREFIX } from '../../core/policy/baseline.ts';
import {
  compareExemptions,
  compareObjects,
  POLICY_RULES_MAX,
  toPlainExemption,
} from '../../core/policy/compile.ts';
import { OPERATIONS } from '../../core/policy/document.ts';
import type { IrRule, PolicyIr } from '../../core/policy/ir.ts';
import { compareBytes } from '../../core/policy/text.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { isCanonicalJson, toCanonicalJson } from '../canonical-json.ts';
import { parseStrictJson } from '../strict-json.ts';
import { zodCauses } from '../zod-causes.ts';
import { fitShape } from '../zod-words.ts';
import {
  cgroupSchema,
  namesSubject,
  pathSchema,
  SCOPE_MAX,
  unitSchema,
  verityDigestSchema,
} from './fields.ts';
import { ruleReferenceSchema } from './schema.ts';

const namedPathSchema = pathSchema.refine((path) => path !== '/', 'the root has no name');

const exemptionSchema = z
  .strictObject({
    exe: namedPathSchema.optional(),
    digest: verityDigestSchema.optional(),
    uid: z.int().min(0).max(0xffff_fffe).optional(),
    unit: unitSchema.optional(),
    cgroup: cgroupSchema.optional(),
    parentExe: namedPathSchema.optional(),
  })
  .refine(namesSubject, 'an exemption names a subject')
  .refine((it) => it.digest === undefined || it.exe !== undefined, 'a digest is of an exe')
  .refine((it) => it.unit === undefined || it.cgroup === undefined, 'a unit is a control group');

const scopeSchema = z
  .strictObject({
    units: z.array(unitSchema).max(SCOPE_MAX),
    cgroups: z.array(cgroupSchema).max(SCOPE_MAX),
  })
  .refine((it) => it.units.length + it.cgroups.length > 0, 'a scope names somebody');

const ruleSchema = z.strictObject({
  id: ruleReferenceSchema,
  mode: z.enum(['audit', 'enforce']),
  onMissingHook: z.enum(['refuse', 'audit']),
  reason: z.string().min(1).max(500),
  operations: z.array(z.enum(OPERATIONS)).min(1),
  objects: z
    .array(z.strictObject({ kind: z.enum(['path', 'tree']), path: namedPathSchema }))
    .min(1)
    .max(1024),
  except: z.array(exemptionSchema).max(256),
  acceptsLockout: z.literal(true).optional(),
  scope: scopeSchema.optional(),
  origin: z.strictObject({
    file: z.string().min(1).max(1024),
    line: z.int().min(1),
    column: z.int().min(1),
  }),
});

const irSchema = z.strictObject({
  irVersion: z.literal(1),
  rules: z.array(ruleSchema).max(POLICY_RULES_MAX),
});

/** The canonical bytes of compiled policies. */
export function encodeIr(ir: PolicyIr): Uint8Array {
  return toCanonicalJson(ir);
}

/** Reads compiled policies that somebody else made. */
export function parseIr(bytes: Uint8Array): Result<PolicyIr> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.fileBytesMax, plainIntegers: true });
  if (!json.ok) return invalid([json.error.detail]);
  const parsed = fitShape(irSchema, json.value);
  if (!parsed.success) return invalid(zodCauses(parsed.error));
  const rules = parsed.data.rules.map(toIrRule);
  const reserved = rules.find((rule) => rule.id.startsWith(BASELINE_PREFIX));
  if (reserved !== undefined) {
    return err(
      failure('policy/reserved-name', `the rule ${reserved.id} has a name of the baseline`),
    );
  }
  const disorder = rules.flatMap((rule) => findDisorder(rule));
  if (!isSortedUnique(rules, (a, b) => compareBytes(a.id, b.id))) {
    disorder.unshift('rules are not sorted by id, or repeat');
  }
  if (disorder.length > 0) return invalid(disorder);
  const ir: PolicyIr = { irVersion: 1, rules };
  return isCanonicalJson(ir, bytes) ? ok(ir) : invalid(['not the canonical spelling (RFC 8785)']);
}

function toIrRule(rule: z.infer<typeof ruleSchema>): IrRule {
  const { scope, acceptsLockout, ...rest } = rule;
  return {
    ...rest,
    ...(acceptsLockout === undefined ? {} : { acceptsLockout }),
    except: rule.except.map(toPlainExemption),
    ...(scope === undefined ? {} : { scope }),
  };
}

function findDisorder(rule: IrRule): string[] {
  const found: string[] = [];
  const byNumber = (a: IrRule['operations'][number], b: IrRule['operations'][number]) =>
    OPERATIONS.indexOf(a) - OPERATIONS.indexOf(b);
  if (!isSortedUnique(rule.operations, byNumber)) found.push(`${rule.id}: operations`);
  if (!isSortedUnique(rule.objects, compareObjects)) found.push(`${rule.id}: objects`);
  if (!isSortedUnique(rule.except, compareExemptions)) found.push(`${rule.id}: except`);
  for (const list of [rule.scope?.units ?? [], rule.scope?.cgroups ?? []]) {
    if (!isSortedUnique(list, compareBytes)) found.push(`${rule.id}: scope`);
  }
  return found.map((it) => `not sorted, or repeated: ${it}`);
}

function isSortedUnique<T>(items: readonly T[], compare: (a: T, b: T) => number): boolean {
  return items.every((item, at) => {
    const before = items[at - 1];
    return before === undefined || compare(before, item) < 0;
  });
}

function invalid(causes: readonly string[]): Result<never> {
  return err(
    failure('policy/ir-invalid', 'the compiled policy is not one that Warder made', { causes }),
  );
}
