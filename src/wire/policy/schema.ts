// The shapes of policy files, as people write them. The published JSON Schemas are generated from these.
// Every object is strict: an unknown field is a typing error in a security policy, never ignored.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { OPERATIONS } from '../../core/policy/document.ts';
import { isGlob } from '../../core/policy/path.ts';
import {
  cgroupSchema,
  coded,
  namesSubject,
  pathSchema,
  SCOPE_MAX,
  unitSchema,
  verityDigestSchema,
} from './fields.ts';

const API_VERSION = 'warder.dev/v1alpha1';
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const RULE_REFERENCE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const UID_MAX = 0xffff_fffe; // the last number is "no user" to the kernel

/** Policy names and rule ids: they become part of `policy/rule` in events and logs. */
export const nameSchema = z
  .string()
  .regex(NAME, 'lower-case letters, digits and inner hyphens, at most 63 characters');

/** `policy/rule`. */
export const ruleReferenceSchema = z.string().regex(RULE_REFERENCE, 'POLICY/RULE');

// Characters of patterns are legal in names, but in a policy they mean that the author expects matching.
const protectedPathSchema = pathSchema
  .refine((text) => !isGlob(text), {
    message: 'a policy names files; it has no patterns: protect the directory as a tree',
    ...coded('policy/path-invalid'),
  })
  .meta({ pattern: '^/[^*?\\[\\]{}]*$', description: 'Absolute path without ".." and patterns.' });

// The root has no name and everything lies below it: there is nothing to look up and no way back.
const objectPathSchema = protectedPathSchema.refine((text) => text !== '/', {
  message: 'the whole filesystem cannot be protected',
  ...coded('policy/tree-root'),
});

const exePathSchema = protectedPathSchema.refine((text) => text !== '/', {
  message: 'a directory is no executable',
  ...coded('policy/path-invalid'),
});

const uidSchema = z.int().min(0).max(UID_MAX);

const objectSchema = z
  .strictObject({
    path: objectPathSchema.optional(),
    tree: objectPathSchema.optional(),
  })
  .refine((it) => (it.path === undefined) !== (it.tree === undefined), {
    message: 'one of path and tree',
  })
  .meta({ oneOf: [{ required: ['path'] }, { required: ['tree'] }] });

const exemptionSchema = z
  .strictObject({
    exe: exePathSchema.optional(),
    digest: verityDigestSchema.optional(),
    uid: uidSchema.optional(),
    unit: unitSchema.optional(),
    cgroup: cgroupSchema.optional(),
    parentExe: exePathSchema.optional(),
  })
  .refine(namesSubject, {
    message: 'an exemption names a subject; without one the rule would apply to nobody',
    ...coded('policy/exemption-matches-all'),
  })
  .refine((it) => it.digest === undefined || it.exe !== undefined, {
    message: 'a digest is of an exe; name the exe too',
    path: ['digest'],
  })
  .refine((it) => it.unit === undefined || it.cgroup === undefined, {
    message: 'a unit is a control group: name one of unit and cgroup',
    path: ['cgroup'],
  })
  .meta({ minProperties: 1, dependentRequired: { digest: ['exe'] } });

const scopeSchema = z
  .strictObject({
    units: z.array(unitSchema).max(SCOPE_MAX).optional(),
    cgroups: z.array(cgroupSchema).max(SCOPE_MAX).optional(),
  })
  .refine((it) => (it.units ?? []).length + (it.cgroups ?? []).length > 0, {
    message: 'a scope names units, cgroups or both; leave it out for all processes',
  })
  .meta({ minProperties: 1, description: 'Whom the policy is about; default: all processes.' });

const denySchema = z.union([
  z.literal('modify'),
  z.array(z.enum([...OPERATIONS, 'modify'])).min(1),
]);

const ruleSchema = z.strictObject({
  id: nameSchema,
  reason: z.string().min(1).max(500).describe('Shown with every denial.'),
  protect: z.array(objectSchema).min(1).max(1024),
  deny: denySchema.describe('Operations; modify = write, create, delete, rename, link, setattr.'),
  except: z.array(exemptionSchema).max(256).optional(),
  iKnowThisCanLockMeOut: z.boolean().optional(),
});

/** `kind: FilePolicy`. */
export const filePolicySchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('FilePolicy'),
  metadata: z.strictObject({
    name: nameSchema,
    description: z.string().max(4000).optional(),
  }),
  spec: z.strictObject({
    mode: z.enum(['audit', 'enforce']),
    onMissingHook: z.enum(['refuse', 'audit']).optional(),
    scope: scopeSchema.optional(),
    rules: z.array(ruleSchema).min(1).max(1024),
  }),
});

/** A request as policy tests and vectors write it. */
export const requestSchema = z
  .strictObject({
    operation: z.enum(OPERATIONS),
    path: pathSchema,
    identity: pathSchema.optional().describe('The protected name whose file this is.'),
    to: pathSchema.optional().describe('Destination of a rename or link.'),
    replaces: z.boolean().optional().describe('The destination of a rename exists.'),
    access: z.enum(['read', 'write']).optional().describe('What a `use` does.'),
    exe: pathSchema.optional(),
    exeDigest: verityDigestSchema.optional().describe('fs-verity digest of the executable.'),
    uid: uidSchema.optional(),
    cgroup: pathSchema.optional().describe('Control group of the process; default /.'),
    parentExe: pathSchema.optional().describe('Executable of the parent process.'),
  })
  .superRefine((request, context) => {
    const moves = request.operation === 'rename' || request.operation === 'link';
    const complain = (message: string, key: string) =>
      context.addIssue({ code: 'custom', message, path: [key] });
    if (moves && request.to === undefined) complain('rename and link have a destination', 'to');
    if (!moves && request.to !== undefined) complain('only rename and link have one', 'to');
    if (request.replaces !== undefined && request.operation !== 'rename') {
      complain('only a rename replaces', 'replaces');
    }
    if (request.identity !== undefined && request.operation === 'create') {
      complain('what is created has no identity yet', 'identity');
    }
    if ((request.operation === 'use') !== (request.access !== undefined)) {
      complain('a use, and nothing else, has an access: read or write', 'access');
    }
  });

const testSchema = z
  .strictObject({
    name: z.string().min(1).max(200).optional(),
    request: requestSchema,
    expect: z.enum(['allow', 'audit', 'deny']),
    rule: ruleReferenceSchema.optional().describe('The rule that must be the one reported.'),
  })
  .refine((test) => test.expect !== 'allow' || test.rule === undefined, {
    message: 'nothing is reported for allow',
    path: ['rule'],
  });

/** `kind: PolicyTest`. */
export const policyTestSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('PolicyTest'),
  metadata: z
    .strictObject({ name: nameSchema.optional(), description: z.string().max(4000).optional() })
    .optional(),
  tests: z.array(testSchema).min(1).max(10_000),
});

/** The JSON Schemas that editors complete from, by file name in policies/schema/. */
export function jsonSchemas(): Readonly<Record<string, unknown>> {
  return {
    'file-policy.v1alpha1.schema.json': z.toJSONSchema(filePolicySchema),
    'policy-test.v1alpha1.schema.json': z.toJSONSchema(policyTestSchema),
  };
}
