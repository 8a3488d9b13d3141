// The bundle descriptor: the config blob that the manifest names and the release statement repeats.
// Canonical JSON (RFC 8785) or refused: a document that can be spelled two ways can be read two ways.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type BundleDescriptor, type BundleFile, MEDIA } from '../core/bundle.ts';
import { pathProblem } from '../core/bundle-path.ts';
import { type Digest, parseDigest } from '../core/digest.ts';
import type { ErrorCode } from '../core/errors.ts';
import { isKernelMinimum } from '../core/kernel-version.ts';
import { LIMITS } from '../core/limits.ts';
import { formatReference, parseReference } from '../core/reference.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { type BundleVersion, toBundleVersion } from '../core/version.ts';
import { isCanonicalJson, toCanonicalJson } from './canonical-json.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

const digest = z.string().transform((text, context): Digest => {
  const parsed = parseDigest(text);
  if (parsed.ok) return parsed.value;
  context.addIssue('not a lower-case sha256 digest');
  return z.NEVER;
});

/** Seconds in UTC and no other spelling: people compare times as text, code as numbers. */
export const timeSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'not YYYY-MM-DDTHH:MM:SSZ')
  .refine(isRealTime, 'not a time of the calendar');

/** A word that names a bundle, tenant or label: lower case, digits and single dashes. */
export const nameSchema = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'not lower-case letters, digits and single dashes');

/** A channel. It may not look like the version tag of another channel. */
export const channelSchema = nameSchema.refine(
  (text) => !/-v[0-9]+$/.test(text),
  'ends like a version tag',
);

/** A repository in canonical form, without tag and digest. */
export const repositorySchema = z.string().refine((text) => {
  const parsed = parseReference(text);
  if (!parsed.ok || parsed.value.tag !== null || parsed.value.digest !== null) return false;
  return formatReference(parsed.value) === text;
}, 'not a canonical repository without tag and digest');

/** Printable ASCII without spaces: URLs, Git refs, builder ids. */
export const tokenSchema = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[\x21-\x7e]+$/, 'not printable ASCII without spaces');

/** Labels that a host must have. */
export const selectorsSchema = z.record(
  z
    .string()
    .max(128)
    .regex(/^[a-z0-9]+(?:[./-][a-z0-9]+)*$/, 'not a label name'),
  z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9._-]*$/, 'not a label value'),
);

/** MAJOR.MINOR.PATCH of the agent. */
export const agentVersionSchema = z
  .string()
  .max(32)
  .regex(/^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/, 'not MAJOR.MINOR.PATCH');

/** The oldest kernel that will do. */
export const kernelMinimumSchema = z
  .string()
  .refine(isKernelMinimum, { error: 'not MAJOR.MINOR', abort: true });

const file: z.ZodType<BundleFile> = z.strictObject({
  path: z.string().refine((path) => pathProblem(path) === null, 'not a safe path'),
  mediaType: z.enum([MEDIA.source, MEDIA.ir, MEDIA.tests]),
  digest,
  size: z.number().int().nonnegative().max(LIMITS.fileBytesMax),
});

const descriptorSchema: z.ZodType<BundleDescriptor> = z.strictObject({
  name: nameSchema,
  tenant: nameSchema,
  channel: channelSchema,
  repository: repositorySchema,
  version: z.number().transform((value, context): BundleVersion => {
    const version = toBundleVersion(value);
    if (version !== null) return version;
    context.addIssue('not a safe integer >= 1');
    return z.NEVER;
  }),
  previous: digest.nullable(),
  createdAt: timeSchema,
  notBefore: timeSchema,
  expires: timeSchema,
  minAgentVersion: agentVersionSchema,
  requires: z.strictObject({
    kernel: kernelMinimumSchema,
    hooks: z
      .array(
        z
          .string()
          .max(64)
          .regex(/^[a-z][a-z0-9_]*$/, 'not a hook'),
      )
      .max(128)
      .refine((it) => new Set(it).size === it.length, 'names a hook twice'),
  }),
  selectors: selectorsSchema,
  source: z.strictObject({
    repository: tokenSchema,
    ref: tokenSchema,
    commit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'not a full commit id'),
  }),
  files: z.array(file).max(LIMITS.layersMax),
});

/** True for a time that the calendar has; 30 February has none. */
export function isRealTime(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && `${new Date(ms).toISOString().slice(0, 19)}Z` === text;
}

/** Reads a config blob. The caller has hashed the bytes; nothing in it is believed yet. */
export function parseDescriptor(bytes: Uint8Array): Result<BundleDescriptor> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.configBytesMax, plainIntegers: true });
  if (!json.ok) {
    return refuse('fetch/config-invalid', 'the config is not strict JSON', [json.error.detail]);
  }
  const checked = checkDescriptor(json.value);
  if (!checked.ok) return checked;
  if (!isCanonicalJson(json.value, bytes)) {
    return refuse('fetch/config-invalid', 'the config is not canonical JSON', []);
  }
  return checked;
}

/** Checks a parsed descriptor: the config, or the predicate of a release statement. */
export function checkDescriptor(value: unknown): Result<BundleDescriptor> {
  const version = (value as { readonly version?: unknown } | null)?.version;
  // First, and with its own code: a version that is read two ways breaks the order of bundles.
  if (typeof version !== 'number' || toBundleVersion(version) === null) {
    const what = [`version ${quote(version)}`];
    return refuse('fetch/version-invalid', 'the version is not a safe integer >= 1', what);
  }
  const parsed = fitShape(descriptorSchema, value);
  if (parsed.success) return ok(parsed.data);
  return refuse(
    'fetch/config-invalid',
    'the config does not fit its schema',
    zodCauses(parsed.error),
  );
}

function refuse(code: ErrorCode, message: string, causes: readonly string[]): Result<never> {
  return err(failure(code, message, { causes }));
}

/** Writes a descriptor as canonical JSON. */
export function encodeDescriptor(descriptor: BundleDescriptor): Uint8Array {
  return toCanonicalJson(descriptor);
}
