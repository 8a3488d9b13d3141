// The SigningConfig document (protobuf-specs, version 0.2): which services a publisher signs with. Of each
// kind the newest service in use is taken; a log of version 2 says no time, so it needs an authority.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

/** The services of one publication. */
export interface SigningServices {
  readonly fulcioUrl: string;
  readonly rekor: { readonly url: string; readonly majorVersion: 1 | 2 };
  /** Null where the log itself says when. */
  readonly tsaUrl: string | null;
}

const url = z
  .string()
  .refine((it) => /^https?:\/\/[^\s]+$/.test(it) && URL.canParse(it), 'not a URL');
const time = z.string().refine((it) => !Number.isNaN(Date.parse(it)), 'not a time');
const services = z
  .array(
    z.looseObject({
      url,
      majorApiVersion: z.int(),
      validFor: z.looseObject({ start: time.optional(), end: time.optional() }).optional(),
    }),
  )
  .max(64);

const shape = z.looseObject({
  mediaType: z.literal('application/vnd.dev.sigstore.signingconfig.v0.2+json'),
  caUrls: services,
  rekorTlogUrls: services,
  tsaUrls: services.default([]),
});

type Services = z.infer<typeof services>;

/** Reads a signing configuration and chooses, for this moment. */
export function parseSigningConfig(bytes: Uint8Array, nowMs: number): Result<SigningServices> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.policyFileBytesMax });
  if (!json.ok) return invalid([json.error.detail]);
  const parsed = fitShape(shape, json.value);
  if (!parsed.success) return invalid(zodCauses(parsed.error));
  const fulcio = choose(parsed.data.caUrls, 1, nowMs);
  const rekor = choose(parsed.data.rekorTlogUrls, 2, nowMs);
  const tsa = choose(parsed.data.tsaUrls, 1, nowMs);
  if (fulcio === null) return invalid(['no certificate authority is in use']);
  if (rekor === null) return invalid(['no transparency log is in use']);
  const majorVersion = rekor.majorApiVersion === 2 ? 2 : 1;
  if (majorVersion === 2 && tsa === null) {
    return invalid(['a log of version 2 needs a timestamp authority, and none is in use']);
  }
  return ok({
    fulcioUrl: fulcio.url,
    rekor: { url: rekor.url, majorVersion },
    tsaUrl: tsa?.url ?? null,
  });
}

function choose(list: Services, versionMax: number, nowMs: number): Services[number] | null {
  const startOf = (it: Services[number]) => Date.parse(it.validFor?.start ?? '1970-01-01');
  const [newest] = list
    .filter((it) => it.majorApiVersion >= 1 && it.majorApiVersion <= versionMax)
    .filter((it) => startOf(it) <= nowMs)
    .filter((it) => it.validFor?.end === undefined || nowMs <= Date.parse(it.validFor.end))
    .toSorted((a, b) => startOf(b) - startOf(a));
  return newest ?? null;
}

function invalid(causes: readonly string[]): Result<never> {
  const what = 'the signing configuration cannot be used';
  return err(failure('publish/signing-config', what, { causes }));
}
