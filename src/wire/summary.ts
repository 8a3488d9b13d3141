// The predicates of verification summaries: SLSA VSA v1 and in-toto SVR v0.1. Every field that the
// specifications name is read; an unknown one is refused, because it could take back what the others say
// (narrower than the specifications, which let consumers ignore it). The published JSON Schemas are
// generated from these shapes.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { PREDICATE } from '../core/bundle.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { VerificationSummary } from '../core/summary.ts';
import { isRealTime, tokenSchema } from './descriptor.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const LIST_MAX = 64;

// Fractions of a second are usual here; of the calendar a time must be all the same.
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/, 'not a time in UTC')
  .refine((it) => isRealTime(`${it.slice(0, 19)}Z`), 'not a time of the calendar');

const descriptor = z.strictObject({
  name: z.string().max(512).optional(),
  uri: tokenSchema.optional(),
  digest: z.record(z.string().max(32), z.string().max(256)).optional(),
  content: z.string().max(4096).optional(),
  downloadLocation: z.string().max(512).optional(),
  mediaType: z.string().max(256).optional(),
  annotations: z.record(z.string().max(256), z.unknown()).optional(),
});

const levels = z.array(tokenSchema).max(LIST_MAX);

const vsaSchema = z.strictObject({
  verifier: z.strictObject({
    id: tokenSchema,
    version: z.record(z.string().max(256), z.string().max(256)).optional(),
  }),
  timeVerified: time,
  resourceUri: tokenSchema,
  policy: descriptor.required({ uri: true }),
  inputAttestations: z.array(descriptor).max(LIST_MAX).optional(),
  verificationResult: z.enum(['PASSED', 'FAILED']),
  verifiedLevels: levels,
  dependencyLevels: z.record(tokenSchema, z.int().min(0)).optional(),
  slsaVersion: z
    .string()
    .regex(/^\d{1,4}\.\d{1,4}$/, 'not MAJOR.MINOR')
    .optional(),
});

const svrSchema = z.strictObject({
  verifier: z.strictObject({ id: tokenSchema }),
  timeCreated: time,
  properties: levels,
});

/** Reads the predicate of a verification summary. */
export function parseVsaPredicate(predicate: unknown): Result<VerificationSummary> {
  const parsed = fitShape(vsaSchema, predicate);
  if (!parsed.success) return refuse('verification summary', parsed.error);
  const { verifier, timeVerified, resourceUri, verificationResult, verifiedLevels } = parsed.data;
  return ok({
    verifier: verifier.id,
    verifiedAt: timeVerified,
    resource: resourceUri,
    // FAILED is a level too: one that says both has not passed.
    passed: verificationResult === 'PASSED' && !verifiedLevels.includes('FAILED'),
    levels: verifiedLevels,
  });
}

/** Reads the predicate of a simple verification result; it has no way to say that something failed. */
export function parseSvrPredicate(predicate: unknown): Result<VerificationSummary> {
  const parsed = fitShape(svrSchema, predicate);
  if (!parsed.success) return refuse('verification result', parsed.error);
  const { verifier, timeCreated, properties } = parsed.data;
  return ok({
    verifier: verifier.id,
    verifiedAt: timeCreated,
    resource: null,
    passed: true,
    levels: properties,
  });
}

function refuse(what: string, error: z.ZodError): Result<never> {
  return err(failure('verify/vsa-rejected', `not a ${what}`, { causes: zodCauses(error) }));
}

/** The published JSON Schemas, by file name in attestations/. */
export function summarySchemas(): Readonly<Record<string, unknown>> {
  const of = (shape: z.ZodType, id: string, title: string) => ({
    $id: id,
    title,
    ...z.toJSONSchema(shape),
  });
  return {
    'verification-summary.v1.schema.json': of(
      vsaSchema,
      PREDICATE.vsa,
      'Verification summary (SLSA), as hosts read it',
    ),
    'verification-result.v0.1.schema.json': of(
      svrSchema,
      PREDICATE.svr,
      'Simple verification result (in-toto), as hosts read it',
    ),
  };
}
