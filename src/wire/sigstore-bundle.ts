// A sigstore bundle from a stranger, before any library sees it: exactly version 0.3, one DSSE envelope
// with one signature, a public key hint or one certificate, canonical base64, and nothing else. Elements
// are counted here, so that no cryptography runs over a hundred thousand of anything (bad inputs S01 to
// S04, S18, S21).
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
  /** How it is proven who signed. */
  readonly proof:
    | { readonly kind: 'key'; readonly hint: string }
    | { readonly kind: 'certificate'; readonly der: Uint8Array };
  readonly payloadType: string;
  readonly payload: Uint8Array;
  /** Each with the canonical JSON that the log hashed. */
  readonly logEntries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
  readonly json: unknown;
}

/** An entry of a transparency log, as far as Warder looks into it. */
export interface LogEntry {
  readonly logId: string;
  readonly body: Uint8Array;
  /** The log promised inclusion, so that its time is signed. */
  readonly isPromised: boolean;
  readonly integratedMs: number;
  /** What the proof says of the tree, and the note that the log signed about it. */
  readonly treeSize: string;
  readonly rootHash: string;
  readonly checkpoint: string;
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

const digits = z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/, 'not a whole number');
const HASHES_MAX = 64;
const CHECKPOINT_CHARS_MAX = 8192;

const logEntry = z.strictObject({
  logIndex: digits.default('0'),
  logId: z.strictObject({ keyId: base64 }),
  kindVersion: z.strictObject({ kind: z.string().max(32), version: z.string().max(32) }),
  integratedTime: digits.default('0'),
  inclusionPromise: z.strictObject({ signedEntryTimestamp: base64 }).optional(),
  // Without a proof an entry is a promise of the log alone; version 0.3 demands the proof.
  inclusionProof: z.strictObject({
    logIndex: digits.default('0'),
    rootHash: base64,
    treeSize: digits,
    hashes: z.array(base64).max(HASHES_MAX).default([]),
    checkpoint: z.strictObject({ envelope: z.string().min(1).max(CHECKPOINT_CHARS_MAX) }),
  }),
  canonicalizedBody: base64,
});

const material = z.strictObject({
  publicKey: z.strictObject({ hint: z.string().max(HINT_LENGTH_MAX).default('') }).optional(),
  certificate: z.strictObject({ rawBytes: base64 }).optional(),
  tlogEntries: z.array(logEntry).max(ELEMENTS_MAX).optional(),
  timestampVerificationData: z
    .strictObject({
      rfc3161Timestamps: z
        .array(z.strictObject({ signedTimestamp: base64 }))
        .max(ELEMENTS_MAX)
        .optional(),
    })
    .optional(),
});

const shape = z.strictObject({
  mediaType: z.literal(MEDIA.sigstore),
  verificationMaterial: material.refine(
    (it) => (it.publicKey === undefined) !== (it.certificate === undefined),
    'one of publicKey and certificate is needed',
  ),
  dsseEnvelope: z.strictObject({
    payload: base64,
    payloadType: z.string().min(1).max(256),
    signatures: z.tuple([
      z.strictObject({ sig: base64, keyid: z.string().max(HINT_LENGTH_MAX).optional() }),
    ]),
  }),
});

/**
 * Reads one attestation. Without a trusted root nothing could vouch for certificates, log entries and
 * timestamps, and a proof that nobody checks must not look like one that was checked: they refuse.
 */
export function parseSigstoreBundle(bytes: Uint8Array, hasRoot: boolean): Result<SigstoreBundle> {
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
  const counted = checkMaterial(field(json.value, 'verificationMaterial'), hasRoot);
  if (!counted.ok) return counted;
  const parsed = fitShape(shape, json.value);
  if (!parsed.success) {
    const causes = zodCauses(parsed.error);
    return refuse('verify/bundle-invalid', 'not a bundle with one DSSE signature', causes);
  }
  const { dsseEnvelope, verificationMaterial } = parsed.data;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  if (isOverfull(payload)) return overfull('statement');
  const { publicKey, certificate, tlogEntries, timestampVerificationData } = verificationMaterial;
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return ok({
    proof:
      certificate === undefined
        ? { kind: 'key', hint: publicKey?.hint ?? '' }
        : { kind: 'certificate', der: Buffer.from(certificate.rawBytes, 'base64') },
    payloadType: dsseEnvelope.payloadType,
    payload,
    logEntries: (tlogEntries ?? []).map((it) => ({
      logId: it.logId.keyId,
      body: Buffer.from(it.canonicalizedBody, 'base64'),
      isPromised: it.inclusionPromise !== undefined,
      integratedMs: Number(it.integratedTime) * 1000,
      treeSize: it.inclusionProof.treeSize,
      rootHash: it.inclusionProof.rootHash,
      checkpoint: it.inclusionProof.checkpoint.envelope,
    })),
    timestamps: stamps.map((it) => Buffer.from(it.signedTimestamp, 'base64')),
    json: parsed.data,
  });
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
function checkMaterial(material: unknown, hasRoot: boolean): Result<void> {
  const tlogs = field(material, 'tlogEntries');
  const stamps = field(field(material, 'timestampVerificationData'), 'rfc3161Timestamps');
  for (const list of [tlogs, stamps]) {
    if (Array.isArray(list) && list.length > ELEMENTS_MAX) {
      const count = `${list.length} elements; at most ${ELEMENTS_MAX}`;
      return refuse('verify/bundle-too-large', 'the attestation has too many elements', [count]);
    }
  }
  if (hasRoot) return ok(undefined);
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
