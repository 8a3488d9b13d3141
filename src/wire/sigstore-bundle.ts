// A sigstore bundle from a stranger, before any library sees it: counted, strict, and of a known shape
// (sigstore-shapes.ts). Elements are counted here, so that no cryptography runs over a hundred thousand of
// anything (bad inputs S01 to S04, S18, S21).
//
// SPDX-License-Identifier: Apache-2.0

import { MEDIA } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { CLIENT_SHAPES, type ClientDocument, ELEMENTS_MAX, hostShape } from './sigstore-shapes.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

/** What vouches for a signature, whatever was signed; `json` is the same for the sigstore library. */
export interface SignedBundle {
  /** How it is proven who signed. */
  readonly proof:
    | { readonly kind: 'key'; readonly hint: string }
    | { readonly kind: 'certificate'; readonly der: Uint8Array };
  /** Each with the canonical JSON that the log hashed. */
  readonly logEntries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
  readonly json: unknown;
}

/** An attestation as hosts read it: a signed statement. */
export interface SigstoreBundle extends SignedBundle {
  readonly payloadType: string;
  readonly payload: Uint8Array;
}

/** A bundle as any client writes it: a signed statement, or a signature over a file. */
export interface ClientBundle extends SignedBundle {
  /** What older clients put after the certificate of the signer; nothing is trusted for it. */
  readonly issuers: readonly Uint8Array[];
  readonly content:
    | { readonly kind: 'statement'; readonly payloadType: string; readonly payload: Uint8Array }
    | { readonly kind: 'message'; readonly digest: Digest };
}

/** An entry of a transparency log, as far as Warder looks into it. */
export interface LogEntry {
  readonly logId: string;
  readonly body: Uint8Array;
  /** The log promised inclusion, so that its time is signed. */
  readonly isPromised: boolean;
  readonly integratedMs: number;
  /** What the proof says of the tree, and the note that the log signed about it; null without a proof. */
  readonly tree: {
    readonly size: string;
    readonly rootHash: string;
    readonly checkpoint: string;
  } | null;
}

// A release of as many files as a bundle may have stays far below; documents above it are not Warder's.
const STRUCTURE_MAX = 8192;
const STRUCTURE: readonly number[] = ['{', '[', ','].map((it) => it.charCodeAt(0));

/**
 * Reads one attestation. Without a trusted root nothing could vouch for certificates, log entries and
 * timestamps, and a proof that nobody checks must not look like one that was checked: they refuse.
 */
export function parseSigstoreBundle(bytes: Uint8Array, hasRoot: boolean): Result<SigstoreBundle> {
  const json = readJson(bytes);
  if (!json.ok) return json;
  const mediaType = field(json.value, 'mediaType');
  if (typeof mediaType === 'string' && mediaType !== MEDIA.sigstore) {
    return refuse('verify/bundle-version', 'not a sigstore bundle of version 0.3', [
      `media type ${quote(mediaType)}`,
    ]);
  }
  const counted = checkMaterial(field(json.value, 'verificationMaterial'), hasRoot);
  if (!counted.ok) return counted;
  const parsed = fitShape(hostShape, json.value);
  if (!parsed.success) {
    const causes = zodCauses(parsed.error);
    return refuse('verify/bundle-invalid', 'not a bundle with one DSSE signature', causes);
  }
  const { payloadType, payload } = parsed.data.dsseEnvelope;
  const bytesOf = readPayload(payload);
  if (!bytesOf.ok) return bytesOf;
  return ok({ ...readProofs(parsed.data), payloadType, payload: bytesOf.value });
}

/** Reads a bundle of any version that clients write: 0.1, 0.2, 0.3; a statement or a signed file. */
export function parseClientBundle(bytes: Uint8Array, hasRoot: boolean): Result<ClientBundle> {
  const json = readJson(bytes);
  if (!json.ok) return json;
  const mediaType = field(json.value, 'mediaType');
  const shape = CLIENT_SHAPES.get(typeof mediaType === 'string' ? mediaType : '');
  if (shape === undefined) {
    const causes = [`media type ${quote(mediaType)}`];
    return refuse('verify/bundle-version', 'not a sigstore bundle of version 0.1 to 0.3', causes);
  }
  const counted = checkMaterial(field(json.value, 'verificationMaterial'), hasRoot);
  if (!counted.ok) return counted;
  const parsed = fitShape(shape, json.value);
  if (!parsed.success) {
    const causes = zodCauses(parsed.error);
    return refuse('verify/bundle-invalid', 'not a bundle of its version', causes);
  }
  const { dsseEnvelope, messageSignature } = parsed.data;
  const chain = parsed.data.verificationMaterial.x509CertificateChain?.certificates ?? [];
  const issuers = chain.slice(1).map((it) => Buffer.from(it.rawBytes, 'base64'));
  const proofs = { ...readProofs(parsed.data), issuers };
  if (dsseEnvelope === undefined) {
    const hex = Buffer.from(messageSignature?.messageDigest.digest ?? '', 'base64').toString('hex');
    return ok({ ...proofs, content: { kind: 'message', digest: `sha256:${hex}` as Digest } });
  }
  const payload = readPayload(dsseEnvelope.payload);
  if (!payload.ok) return payload;
  const { payloadType } = dsseEnvelope;
  return ok({ ...proofs, content: { kind: 'statement', payloadType, payload: payload.value } });
}

function readJson(bytes: Uint8Array): Result<unknown> {
  if (isOverfull(bytes)) return overfull('attestation');
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.attestationBytesMax });
  if (json.ok) return json;
  const { detail } = json.error;
  return refuse('verify/bundle-invalid', 'the attestation is not strict JSON', [detail]);
}

function readPayload(text: string): Result<Uint8Array> {
  const payload = Buffer.from(text, 'base64');
  return isOverfull(payload) ? overfull('statement') : ok(payload);
}

function readProofs(document: ClientDocument): SignedBundle {
  const { publicKey, tlogEntries, timestampVerificationData, ...other } =
    document.verificationMaterial;
  const leaf = other.certificate ?? other.x509CertificateChain?.certificates[0];
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return {
    proof:
      leaf === undefined
        ? { kind: 'key', hint: publicKey?.hint ?? '' }
        : { kind: 'certificate', der: Buffer.from(leaf.rawBytes, 'base64') },
    logEntries: (tlogEntries ?? []).map(({ inclusionProof: proof, ...it }) => ({
      logId: it.logId.keyId,
      body: Buffer.from(it.canonicalizedBody, 'base64'),
      isPromised: it.inclusionPromise !== undefined,
      integratedMs: Number(it.integratedTime) * 1000,
      tree:
        proof === undefined
          ? null
          : {
              size: proof.treeSize,
              rootHash: proof.rootHash,
              checkpoint: proof.checkpoint.envelope,
            },
    })),
    timestamps: stamps.map((it) => Buffer.from(it.signedTimestamp, 'base64')),
    json: document,
  };
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
