// A sigstore bundle from a stranger, before any library sees it: exactly version 0.3, one DSSE envelope
// with one signature, a public key hint, canonical base64, and nothing else. Elements are counted here,
// so that no cryptography runs over a hundred thousand of anything (bad inputs S01 to S04, S18, S21).
// Deliberately absent: certificates, log entries and timestamps. This version trusts none, and a proof
// that nobody checks must not look like one that was checked, so they refuse.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { MEDIA } from '../core/bundle.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

/** What the bundle holds; `json` is the same for the sigstore library. */
export interface SigstoreBundle {
  readonly hint: string;
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly json: unknown;
}

const ELEMENTS_MAX = 16;
// A release of as many files as a bundle may have stays far below; documents above it are not Warder's.
const STRUCTURE_MAX = 8192;
const STRUCTURE: readonly number[] = ['{', '[', ','].map((it) => it.charCodeAt(0));
const HINT_LENGTH_MAX = 256;

// Base64 has many spellings of the same bytes; one is enough.
const base64 = z
  .string()
  .min(1)
  .refine((it) => Buffer.from(it, 'base64').toString('base64') === it, 'not canonical base64');

const shape = z.strictObject({
  mediaType: z.literal(MEDIA.sigstore),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string().max(HINT_LENGTH_MAX).default('') }),
    tlogEntries: z.tuple([]).optional(),
    timestampVerificationData: z
      .strictObject({ rfc3161Timestamps: z.tuple([]).optional() })
      .optional(),
  }),
  dsseEnvelope: z.strictObject({
    payload: base64,
    payloadType: z.string().min(1).max(256),
    signatures: z.tuple([
      z.strictObject({ sig: base64, keyid: z.string().max(HINT_LENGTH_MAX).optional() }),
    ]),
  }),
});

/** Reads one attestation. */
export function parseSigstoreBundle(bytes: Uint8Array): Result<SigstoreBundle> {
  if (isOverfull(bytes)) return overfull('attestation');
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.attestationBytesMax });
  if (!json.ok) {
    const { detail } = json.error;
    return refuse('verify/bundle-invalid', 'the attestation is not strict JSON', [detail]);
  }
  const mediaType = field(json.value, 'mediaType');
  if (typeof mediaType === 'string' && mediaType !== MEDIA.sigstore) {
    return refuse('verify/bundle-version', 'not a sigstore bundle of version 0.3', [
      `media type ${quote(mediaType)}`,
    ]);
  }
  const counted = checkMaterial(field(json.value, 'verificationMaterial'));
  if (!counted.ok) return counted;
  const parsed = fitShape(shape, json.value);
  if (!parsed.success) {
    const causes = zodCauses(parsed.error);
    return refuse('verify/bundle-invalid', 'not a bundle with one DSSE signature', causes);
  }
  const { dsseEnvelope, verificationMaterial } = parsed.data;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  if (isOverfull(payload)) return overfull('statement');
  const { hint } = verificationMaterial.publicKey;
  return ok({ hint, payloadType: dsseEnvelope.payloadType, payload, json: parsed.data });
}

// Counted on the bytes, because parsing a megabyte of elements is what an attacker wants: sixty-four of
// those would eat the deadline that the good attestations need.
function isOverfull(bytes: Uint8Array): boolean {
  if (bytes.length > LIMITS.attestationBytesMax) return true;
  let count = 0;
  for (const byte of bytes) if (STRUCTURE.includes(byte)) count += 1;
  return count > STRUCTURE_MAX;
}

function overfull(what: string): Result<never> {
  return refuse('verify/bundle-too-large', `the ${what} is too large or has too many elements`);
}

/** Names what this version cannot check, each with its own code, before the schema says "unknown". */
function checkMaterial(material: unknown): Result<void> {
  const tlogs = field(material, 'tlogEntries');
  const stamps = field(field(material, 'timestampVerificationData'), 'rfc3161Timestamps');
  for (const list of [tlogs, stamps]) {
    if (Array.isArray(list) && list.length > ELEMENTS_MAX) {
      const count = `${list.length} elements; at most ${ELEMENTS_MAX}`;
      return refuse('verify/bundle-too-large', 'the attestation has too many elements', [count]);
    }
  }
  const hasKey = field(material, 'publicKey') !== undefined;
  const certificate = ['certificate', 'x509CertificateChain'].find(
    (it) => field(material, it) !== undefined,
  );
  if (certificate !== undefined && !hasKey) {
    return refuse('verify/identity-required', 'signed by a certificate; only keys are trusted');
  }
  if (Array.isArray(tlogs) && tlogs.length > 0) {
    return refuse('verify/tlog-invalid', 'the attestation has log entries; no log is trusted');
  }
  if (Array.isArray(stamps) && stamps.length > 0) {
    return refuse('verify/timestamp-invalid', 'the attestation has timestamps; none is trusted');
  }
  return ok(undefined);
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function refuse(code: ErrorCode, message: string, causes: readonly string[] = []): Result<never> {
  return err(failure(code, message, { causes }));
}
