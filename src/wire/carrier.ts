// The manifest that carries signed statements which belong to no bundle: channel heads and trust policies.
// The statements stand in the manifest itself (the `data` of OCI descriptors), so that reading them costs
// one request, and so that the same bytes can be carried to a host as a file.
//
// Invariants: what is written is read back equal; bytes that do not hash to their descriptor are refused,
// so that nobody else reads something else from the same manifest.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type Descriptor, MEDIA } from '../core/bundle.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { digestOf } from './content.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

/** What is carried, and the code of a manifest that is none of its kind. */
const KINDS = {
  head: {
    type: MEDIA.head,
    name: 'a channel head',
    code: 'verify/head-invalid',
    bytesMax: LIMITS.headBytesMax,
  },
  trust: {
    type: MEDIA.trust,
    name: 'a signed trust policy',
    code: 'trust/statement-invalid',
    bytesMax: LIMITS.trustBytesMax,
  },
  glass: {
    type: MEDIA.glass,
    name: 'a signed order of break-glass',
    code: 'glass/statement-invalid',
    bytesMax: LIMITS.headBytesMax,
  },
} as const;

const EMPTY_OBJECT = new TextEncoder().encode('{}');

const descriptor = z.strictObject({
  mediaType: z.string().max(255),
  digest: z.string().max(200),
  size: z.int().min(0),
});

const manifestSchema = z.strictObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MEDIA.manifest),
  artifactType: z.string(),
  config: descriptor.extend({ mediaType: z.literal(MEDIA.empty) }),
  layers: z
    .array(descriptor.extend({ mediaType: z.literal(MEDIA.sigstore), data: z.string() }))
    .min(1)
    .max(LIMITS.headStatementsMax),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** Reads the signed statements out of a carrier. They are not verified here. */
export function parseCarrier(
  kind: keyof typeof KINDS,
  bytes: Uint8Array,
): Result<readonly Uint8Array[]> {
  const { type, name, code, bytesMax } = KINDS[kind];
  const invalid = (message: string, causes: readonly string[]) =>
    err(failure(code, message, { causes }));
  const json = parseStrictJson(bytes, { bytesMax, plainIntegers: true });
  if (!json.ok) return invalid(`not ${name}`, [json.error.detail]);
  const parsed = fitShape(manifestSchema, json.value);
  if (!parsed.success) return invalid(`not ${name}`, zodCauses(parsed.error));
  if (parsed.data.artifactType !== type) {
    return invalid(`not ${name}`, ['it is of another artifact type']);
  }
  const statements: Uint8Array[] = [];
  for (const { data, digest, size } of parsed.data.layers) {
    const statement = Buffer.from(data, 'base64');
    const same = statement.toString('base64') === data && statement.length === size;
    if (!same || digestOf(statement) !== digest) {
      return invalid('a statement is not what its descriptor says', [digest]);
    }
    statements.push(new Uint8Array(statement));
  }
  return ok(statements);
}

/** The manifest that carries signed statements, with the blobs that a registry wants to have. */
export function encodeCarrier(
  kind: keyof typeof KINDS,
  statements: readonly Uint8Array[],
): {
  readonly manifest: Uint8Array;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
} {
  const config = describe(MEDIA.empty, EMPTY_OBJECT);
  const layers = statements.map((bytes) => describe(MEDIA.sigstore, bytes));
  const manifest = toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: KINDS[kind].type,
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
