// in-toto Statements v1: what is signed. Strict outside (the Statement), open inside (the predicate),
// which is read by the function of its type. Subjects that carry no lower-case sha256 are no subjects.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type BundleDescriptor, PREDICATE } from '../core/bundle.ts';
import { type Digest, digestHex, parseDigest } from '../core/digest.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Provenance } from '../core/provenance.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { checkDescriptor } from './descriptor.ts';
import { encodeSlsaPredicate } from './slsa.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** What other clients sign: the version before says the same about subjects. */
export const CLIENT_STATEMENTS = [STATEMENT_TYPE, 'https://in-toto.io/Statement/v0.1'];
const SUBJECTS_MAX = 64;

/** A statement after parsing: who is meant, and what kind of thing is said. */
export interface Statement {
  readonly subjects: readonly Digest[];
  readonly predicateType: string;
  /** Parsed strict JSON; its shape depends on the predicate type. */
  readonly predicate: unknown;
}

const statementSchema = z.strictObject({
  _type: z.string(),
  subject: z
    .array(
      z.strictObject({
        name: z.string().optional(),
        uri: z.string().optional(),
        digest: z.record(z.string(), z.string()).optional(),
        mediaType: z.string().optional(),
        downloadLocation: z.string().optional(),
        content: z.string().optional(),
        annotations: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .max(SUBJECTS_MAX),
  predicateType: z.string().min(1).max(512),
  predicate: z.unknown().optional(),
});

/** Reads a statement from the payload of a verified envelope; hosts take version 1 only. */
export function parseStatement(
  bytes: Uint8Array,
  types: readonly string[] = [STATEMENT_TYPE],
): Result<Statement> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.attestationBytesMax });
  if (!json.ok) {
    return refuse('verify/statement-invalid', 'not strict JSON', [json.error.detail]);
  }
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return refuse('verify/statement-invalid', 'the payload is not an object', []);
  }
  const type = (json.value as Record<string, unknown>)['_type'];
  if (typeof type !== 'string' || !types.includes(type)) {
    return refuse('verify/statement-type', 'not an in-toto Statement v1', [`_type ${quote(type)}`]);
  }
  const parsed = fitShape(statementSchema, json.value);
  if (!parsed.success) {
    return refuse('verify/statement-invalid', 'not a statement', zodCauses(parsed.error));
  }
  const { subject, predicateType, predicate } = parsed.data;
  const subjects = subject.flatMap((one) => {
    const digest = parseDigest(`sha256:${one.digest?.['sha256'] ?? ''}`);
    return digest.ok ? [digest.value] : [];
  });
  return ok({ subjects, predicateType, predicate });
}

function refuse(code: ErrorCode, message: string, causes: readonly string[]): Result<never> {
  return err(failure(code, message, { causes }));
}

/** The release statement: the descriptor said again about the manifest digest. */
export function encodeReleaseStatement(descriptor: BundleDescriptor, digest: Digest): Uint8Array {
  return encode(descriptor, digest, PREDICATE.release, descriptor);
}

/** Reads the predicate of a release statement: a descriptor. */
export function parseReleasePredicate(predicate: unknown): Result<BundleDescriptor> {
  return checkDescriptor(predicate);
}

/** The SLSA v1 provenance statement about the manifest digest. */
export function encodeProvenance(
  descriptor: BundleDescriptor,
  digest: Digest,
  provenance: Provenance,
): Uint8Array {
  return encode(descriptor, digest, PREDICATE.provenance, encodeSlsaPredicate(provenance));
}

/** The statement that cosign reads as "signed", so that its users can check a bundle with it. */
export function encodeCosignStatement(descriptor: BundleDescriptor, digest: Digest): Uint8Array {
  return encode(descriptor, digest, PREDICATE.cosignSign, {});
}

function encode(
  descriptor: BundleDescriptor,
  digest: Digest,
  predicateType: string,
  predicate: unknown,
): Uint8Array {
  return toCanonicalJson({
    _type: STATEMENT_TYPE,
    subject: [{ name: descriptor.repository, digest: { sha256: digestHex(digest) } }],
    predicateType,
    predicate,
  });
}
