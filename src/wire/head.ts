// Channel heads: the statement that is signed, and the manifest that carries it. The signed statements
// stand in the manifest itself (the `data` of OCI descriptors), so that a poll costs one request.
//
// Invariants: what `encodeHead…` writes is read back equal; bytes that do not hash to their descriptor
// are refused, so that nobody else reads another head from the same manifest.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type Descriptor, MEDIA, PREDICATE } from '../core/bundle.ts';
import { type Digest, digestHex, parseDigest } from '../core/digest.ts';
import type { ChannelHead } from '../core/head.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { type BundleVersion, toBundleVersion } from '../core/version.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { digestOf } from './content.ts';
import { channelSchema, repositorySchema, timeSchema } from './descriptor.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const EMPTY_OBJECT = new TextEncoder().encode('{}');

const predicateSchema = z.strictObject({
  repository: repositorySchema,
  channel: channelSchema,
  version: z.int().transform((value, context): BundleVersion => {
    const version = toBundleVersion(value);
    if (version !== null) return version;
    context.addIssue('not a version');
    return z.NEVER;
  }),
  digest: z.string().transform((text, context): Digest => {
    const digest = parseDigest(text);
    if (digest.ok) return digest.value;
    context.addIssue('not a digest');
    return z.NEVER;
  }),
  sequence: z.int().min(1),
  issuedAt: timeSchema,
  expires: timeSchema,
});

/** Reads the predicate of a head statement. */
export function parseHeadPredicate(predicate: unknown): Result<ChannelHead> {
  const parsed = fitShape(predicateSchema, predicate);
  if (parsed.success) return ok(parsed.data);
  return invalid('the head statement does not fit its schema', zodCauses(parsed.error));
}

/** The statement of a head, about the digest that it names. */
export function encodeHeadStatement(head: ChannelHead): Uint8Array {
  return toCanonicalJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: head.repository, digest: { sha256: digestHex(head.digest) } }],
    predicateType: PREDICATE.head,
    predicate: head,
  });
}

const descriptor = z.strictObject({
  mediaType: z.string().max(255),
  digest: z.string().max(200),
  size: z.int().min(0),
});

const manifestSchema = z.strictObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MEDIA.manifest),
  artifactType: z.literal(MEDIA.head),
  config: descriptor.extend({ mediaType: z.literal(MEDIA.empty) }),
  layers: z
    .array(descriptor.extend({ mediaType: z.literal(MEDIA.sigstore), data: z.string() }))
    .min(1)
    .max(LIMITS.headStatementsMax),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** The statements under a head tag, from what a registry answered; no such tag is a missing head. */
export function readHead(fetched: Result<Uint8Array>): Result<readonly Uint8Array[]> {
  if (fetched.ok) return parseHeadManifest(fetched.value);
  if (fetched.error.code !== 'resolve/not-found') return fetched;
  const { causes } = fetched.error;
  const hints = ['run `warder head` after publishing, and on a schedule'];
  return err(failure('verify/head-missing', 'the channel has no head', { causes, hints }));
}

/** Reads the signed statements out of the manifest under a head tag. They are not verified here. */
export function parseHeadManifest(bytes: Uint8Array): Result<readonly Uint8Array[]> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.headBytesMax, plainIntegers: true });
  if (!json.ok) return invalid('the head is not strict JSON', [json.error.detail]);
  const parsed = fitShape(manifestSchema, json.value);
  if (!parsed.success) return invalid('not the manifest of a head', zodCauses(parsed.error));
  const statements: Uint8Array[] = [];
  for (const { data, digest, size } of parsed.data.layers) {
    const statement = Buffer.from(data, 'base64');
    const same = statement.toString('base64') === data && statement.length === size;
    if (!same || digestOf(statement) !== digest) {
      return invalid('a statement of the head is not what its descriptor says', [digest]);
    }
    statements.push(new Uint8Array(statement));
  }
  return ok(statements);
}

/** The manifest that carries signed head statements, with the blobs that a registry wants to have. */
export function encodeHeadManifest(statements: readonly Uint8Array[]): {
  readonly manifest: Uint8Array;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
} {
  const config = describe(MEDIA.empty, EMPTY_OBJECT);
  const layers = statements.map((bytes) => describe(MEDIA.sigstore, bytes));
  const manifest = toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: MEDIA.head,
    config: config.descriptor,
    layers: layers.map((it) => ({
      ...it.descriptor,
      data: Buffer.from(it.bytes).toString('base64'),
    })),
  });
  return { manifest, blobs: [config, ...layers] };
}

function describe(mediaType: string, bytes: Uint8Array) {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}

function invalid(message: string, causes: readonly string[]): Result<never> {
  return err(failure('verify/head-invalid', message, { causes }));
}
