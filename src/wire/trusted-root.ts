// The TrustedRoot document (protobuf-specs, version 0.1): whose certificates, logs and timestamps count.
// The library takes what is missing for "always" and "nobody", so everything that it needs is demanded
// here: at least one authority, one log and one certificate log, and a beginning for each (bad input L08).
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Digest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { AuthorityKind, RootAuthority } from '../core/verify/root-change.ts';
import type { TrustedRootText } from '../core/verify/trust.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const MEDIA_TYPES = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
] as const;
const LIST_MAX = 32;

const base64 = z
  .string()
  .min(4)
  .max(16_384)
  .refine((it) => Buffer.from(it, 'base64').toString('base64') === it, 'not canonical base64');
const time = z.string().refine((it) => !Number.isNaN(Date.parse(it)), 'not a time');
const validFor = z.strictObject({ start: time, end: time.optional() });

const log = z.strictObject({
  baseUrl: z.string().min(1).max(512),
  hashAlgorithm: z.literal('SHA2_256'),
  publicKey: z.strictObject({
    rawBytes: base64,
    keyDetails: z.string().max(64),
    validFor,
  }),
  logId: z.strictObject({ keyId: base64 }),
  checkpointKeyId: z.strictObject({ keyId: base64 }).optional(),
  operator: z.string().max(256).optional(),
});

const authority = z.strictObject({
  subject: z
    .strictObject({ organization: z.string().max(256), commonName: z.string().max(256) })
    .partial()
    .optional(),
  uri: z.string().max(512).optional(),
  certChain: z.strictObject({
    certificates: z
      .array(z.strictObject({ rawBytes: base64 }))
      .min(1)
      .max(8),
  }),
  validFor,
  operator: z.string().max(256).optional(),
});

const shape = z.strictObject({
  mediaType: z.enum(MEDIA_TYPES),
  tlogs: z.array(log).min(1).max(LIST_MAX),
  certificateAuthorities: z.array(authority).min(1).max(LIST_MAX),
  ctlogs: z.array(log).min(1).max(LIST_MAX),
  timestampAuthorities: z.array(authority).max(LIST_MAX).default([]),
});

// What somebody names for one bundle under a key may list logs alone, or nothing.
const partialShape = shape.extend({
  tlogs: z.array(log).max(LIST_MAX).default([]),
  certificateAuthorities: z.array(authority).max(LIST_MAX).default([]),
  ctlogs: z.array(log).max(LIST_MAX).default([]),
});

/** Reads the trusted root of a host. */
export function parseTrustedRoot(bytes: Uint8Array): Result<TrustedRootText> {
  return parseRoot(bytes, shape);
}

/** Reads a trusted root of which any part may be missing; what is there is held to the same rules. */
export function parsePartialRoot(bytes: Uint8Array): Result<TrustedRootText> {
  return parseRoot(bytes, partialShape);
}

/** The authorities and logs of a trusted root, kind by kind. */
export function listAuthorities({ json }: TrustedRootText): readonly RootAuthority[] {
  const root = partialShape.parse(JSON.parse(json));
  const logs = (kind: AuthorityKind, list: readonly z.infer<typeof log>[]) =>
    list.map((it) => entry(kind, it.baseUrl, [it.publicKey.rawBytes], it.publicKey.validFor));
  const chains = (kind: AuthorityKind, list: readonly z.infer<typeof authority>[]) =>
    list.map((it) => {
      const certificates = it.certChain.certificates.map((one) => one.rawBytes);
      return entry(kind, it.uri ?? it.subject?.commonName ?? 'unnamed', certificates, it.validFor);
    });
  return [
    ...chains('certificates', root.certificateAuthorities),
    ...logs('certificate log', root.ctlogs),
    ...logs('log', root.tlogs),
    ...chains('timestamps', root.timestampAuthorities),
  ];
}

function entry(
  kind: AuthorityKind,
  name: string,
  content: readonly string[],
  { start, end }: z.infer<typeof validFor>,
): RootAuthority {
  const hash = createHash('sha256');
  for (const text of content) hash.update(Buffer.from(text, 'base64'));
  const fingerprint = `sha256:${hash.digest('hex')}` as Digest;
  return { kind, name, fingerprint, start, end: end ?? null };
}

function parseRoot(
  bytes: Uint8Array,
  wanted: typeof shape | typeof partialShape,
): Result<TrustedRootText> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.policyFileBytesMax });
  if (!json.ok) return invalid([json.error.detail]);
  const parsed = fitShape(wanted, json.value);
  if (!parsed.success) return invalid(zodCauses(parsed.error));
  const canonical = toCanonicalJson(parsed.data);
  const hash = createHash('sha256').update(canonical).digest('hex');
  return ok({
    json: new TextDecoder().decode(canonical),
    digest: `sha256:${hash}` as Digest,
  });
}

function invalid(causes: readonly string[]): Result<never> {
  return err(failure('trust/root-invalid', 'the trusted root cannot be used', { causes }));
}
