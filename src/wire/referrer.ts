// Referrers: the manifests that attach an attestation to a bundle, and the indexes that list them.
// Written by anybody, so read leniently where that is harmless (unknown fields, annotations and the
// artifact type, which writers leave out or get wrong) and exactly where it matters: the subject, the
// one layer, its media type and its size.
//
// Deliberately absent: any filter by what a list says about a referrer; only its manifest counts.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type Descriptor, MEDIA } from '../core/bundle.ts';
import { type Digest, digestHex, parseDigest } from '../core/digest.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { chooseEmbedded, dataOf, type NamedBlob, readData } from './embedded.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

const looseDescriptor = z.looseObject({
  mediaType: z.string().max(255),
  digest: z.string().max(200),
  size: z.number().int().nonnegative(),
  data: z.string().optional(),
});

const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MEDIA.manifest),
  layers: z.array(looseDescriptor).max(LIMITS.layersMax),
  subject: looseDescriptor.optional(),
});

const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(z.unknown()),
});

const treeSchema = z.looseObject({ referrers: z.array(z.unknown()).nullish() });

const SIGSTORE_BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle/;
const EMPTY_OBJECT = new TextEncoder().encode('{}');
const EMPTY_DIGEST =
  'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as Digest;

/** What a referrer turned out to be. */
export type Referrer =
  | {
      readonly kind: 'attestation';
      readonly layer: Descriptor;
      /** The attestation itself, hashed, when the manifest carries it. */
      readonly bytes: Uint8Array | null;
    }
  /** Something else, for example an SBOM: no business of verification, and no fault. */
  | { readonly kind: 'other' };

/** Reads the manifest of a referrer of `subject`. */
export function parseReferrer(bytes: Uint8Array, subject: Digest): Result<Referrer> {
  const rules = { bytesMax: LIMITS.referrerIndexBytesMax, plainIntegers: true };
  const json = parseStrictJson(bytes, rules);
  if (!json.ok) return refuse('fetch/referrer-invalid', [json.error.detail]);
  const parsed = fitShape(manifestSchema, json.value);
  if (!parsed.success) return refuse('fetch/referrer-invalid', zodCauses(parsed.error));
  const { layers, subject: claimed } = parsed.data;
  if (claimed?.digest !== subject) {
    return refuse('fetch/referrer-invalid', [`its subject is ${quote(claimed?.digest)}`]);
  }
  if (!layers.some((layer) => SIGSTORE_BUNDLE.test(layer.mediaType))) return ok({ kind: 'other' });
  const [layer] = layers;
  if (layer === undefined || layers.length !== 1) {
    return refuse('fetch/referrer-invalid', [`${layers.length} layers instead of 1`]);
  }
  if (layer.mediaType !== MEDIA.sigstore) {
    return refuse('verify/bundle-version', [`media type ${quote(layer.mediaType)}`]);
  }
  if (layer.size > LIMITS.attestationBytesMax) {
    return refuse('fetch/referrer-invalid', [`its attestation has ${layer.size} bytes`]);
  }
  const digest = parseDigest(layer.digest);
  if (!digest.ok) return digest;
  const descriptor = { mediaType: layer.mediaType, digest: digest.value, size: layer.size };
  if (layer.data === undefined) return ok({ kind: 'attestation', layer: descriptor, bytes: null });
  const carried = readData(layer.data, descriptor);
  if (!carried.ok) return carried;
  return ok({ kind: 'attestation', layer: descriptor, bytes: carried.value });
}

/** The digest that a manifest names as its subject, or null. */
export function subjectOf(bytes: Uint8Array): Digest | null {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.attestationBytesMax });
  if (!json.ok) return null;
  const parsed = fitShape(z.looseObject({ subject: looseDescriptor }), json.value);
  return parsed.success ? (toDescriptor(parsed.data.subject)[0]?.digest ?? null) : null;
}

/** Reads a list of referrers: an OCI index with `manifests`. Unusable entries are left out. */
export function parseReferrerIndex(bytes: Uint8Array): Result<readonly Descriptor[]> {
  return parseList(bytes, (value) => {
    const parsed = fitShape(indexSchema, value);
    return parsed.success ? ok(parsed.data.manifests) : err(zodCauses(parsed.error));
  });
}

/** Reads the list that `oras discover --format json` prints. */
export function parseReferrerTree(bytes: Uint8Array): Result<readonly Descriptor[]> {
  return parseList(bytes, (value) => {
    const parsed = fitShape(treeSchema, value);
    return parsed.success ? ok(parsed.data.referrers ?? []) : err(zodCauses(parsed.error));
  });
}

function parseList(
  bytes: Uint8Array,
  entries: (value: unknown) => Result<readonly unknown[], readonly string[]>,
): Result<readonly Descriptor[]> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.referrerIndexBytesMax });
  if (!json.ok) return refuse('fetch/attestation-unavailable', [json.error.detail]);
  const list = entries(json.value);
  if (!list.ok) return refuse('fetch/attestation-unavailable', list.error);
  return ok(list.value.flatMap(toDescriptor));
}

/** An entry of an index as a descriptor, or nothing. */
export function toDescriptor(value: unknown): readonly Descriptor[] {
  const parsed = fitShape(looseDescriptor, value);
  if (!parsed.success) return [];
  const digest = parseDigest(parsed.data.digest);
  if (!digest.ok) return [];
  return [{ mediaType: parsed.data.mediaType, digest: digest.value, size: parsed.data.size }];
}

function refuse(code: ErrorCode, causes: readonly string[]): Result<never> {
  return err(failure(code, 'a referrer of the bundle cannot be used', { causes }));
}

/** The tag under which registries without a referrers API keep the list. */
export function fallbackTag(subject: Digest): string {
  return `sha256-${digestHex(subject)}`;
}

/** Where cosign kept signatures and attestations before there were referrers. */
export function legacyTags(subject: Digest): readonly string[] {
  return ['.sig', '.att'].map((end) => fallbackTag(subject) + end);
}

/** A referrer manifest with its blobs, in the form that cosign 3 writes and reads. */
export interface ReferrerContent {
  readonly manifest: Uint8Array;
  readonly blobs: readonly NamedBlob[];
}

/** Writes the referrer that attaches one sigstore bundle; no times, so equal input, equal bytes. */
export function encodeReferrer(
  subject: Descriptor,
  layer: Descriptor,
  attestation: Uint8Array,
  predicateType: string,
): ReferrerContent {
  const config = { mediaType: MEDIA.empty, digest: EMPTY_DIGEST, size: EMPTY_OBJECT.length };
  const embedded = chooseEmbedded([{ descriptor: layer, bytes: attestation }]);
  const manifest = toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: MEDIA.sigstore,
    config,
    layers: [{ ...layer, ...dataOf(layer, embedded) }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
    },
  });
  const blobs = [
    { descriptor: config, bytes: EMPTY_OBJECT },
    { descriptor: layer, bytes: attestation },
  ];
  return { manifest, blobs };
}
