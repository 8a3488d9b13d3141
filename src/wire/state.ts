// The agent's state as it stands in the database and in the second copy of the floor. What is read back
// is checked like any input: a row that does not parse is damage, not a default.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type Digest, parseDigest } from '../core/digest.ts';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import type { Generation, QuarantineEntry } from '../core/machine/contents.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { Floor } from '../core/verify/verdict.ts';
import { type BundleVersion, toBundleVersion } from '../core/version.ts';
import { fitShape } from './zod-words.ts';

const digest = z.string().transform((text, context): Digest => {
  const parsed = parseDigest(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error.message });
  return z.NEVER;
});
const version = z.number().transform((value, context): BundleVersion => {
  const parsed = toBundleVersion(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: `not a version: ${value}` });
  return z.NEVER;
});
const errorCode = z.custom<ErrorCode>((text) => typeof text === 'string' && text in ERRORS);

const FloorDocument = z.strictObject({ highestSeen: version, digest });
const GenerationRow = z.strictObject({ digest, version, trustFingerprint: digest.nullable() });
const QuarantineRow = z.strictObject({
  digest,
  code: errorCode,
  attempts: z.int().min(1),
  // A date that exists.
  retryAfterMs: z.int().min(0).max(8.64e15),
  trustFingerprint: digest,
  agentVersion: z.string(),
});

/** Which blobs, in which roles, make the evidence of one admission. */
export interface EvidenceIndex {
  readonly manifest: Digest;
  readonly config: Digest;
  readonly files: readonly Digest[];
  readonly attestations: readonly Digest[];
}

const EvidenceDocument: z.ZodType<EvidenceIndex> = z.strictObject({
  manifest: digest,
  config: digest,
  files: z.array(digest),
  attestations: z.array(digest),
});

/** Reads the second copy of the floor. */
export function parseFloor(text: string): Result<Floor> {
  return parseJson(FloorDocument, text, 'floor');
}

/** Reads the list of blobs that make the evidence of one admission. */
export function parseEvidence(text: string): Result<EvidenceIndex> {
  return parseJson(EvidenceDocument, text, 'evidence');
}

export function parseGenerationRow(row: unknown): Result<Generation> {
  return check(GenerationRow, row, 'generation');
}

export function parseFloorRow(row: unknown): Result<Floor> {
  return check(FloorDocument, row, 'floor');
}

export function parseQuarantineRow(row: unknown): Result<QuarantineEntry> {
  return check(QuarantineRow, row, 'quarantine');
}

function parseJson<T>(schema: z.ZodType<T>, text: string, what: string): Result<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return corrupt(what, [cause.message]);
  }
  return check(schema, value, what);
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): Result<T> {
  const parsed = fitShape(schema, value);
  if (parsed.success) return ok(parsed.data);
  return corrupt(
    what,
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  );
}

function corrupt(what: string, causes: readonly string[]): Result<never> {
  return err(failure('state/corrupt', `the stored ${what} is damaged`, { causes }));
}
