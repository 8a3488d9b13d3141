// Requests and orders of break-glass as they travel: the request is a small JSON document that a host
// prints, the order is the predicate of a statement that keys sign, carried in a file like a signed trust
// policy (carrier.ts). Strict: an unknown field is something that nobody would heed.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import * as z from 'zod';
import { PREDICATE } from '../core/bundle.ts';
import { GLASS_MINUTES_MAX, type GlassOrder, type GlassRequest } from '../core/glass.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { encodeCarrier, parseCarrier } from './carrier.ts';
import { encodeDocumentStatement, readSignedDocument } from './signed-document.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const REQUEST_API = 'warder.dev/break-glass-request/v1';
const DOCUMENT_BYTES_MAX = 64 * 1024;
const RULES_MAX = 64;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const NONCE = /^[0-9a-f]{32}$/;
const RULE = /^(?:[a-z0-9][a-z0-9-]{0,30}:)?[a-z0-9][a-z0-9.-]{0,62}\/[a-z0-9][a-z0-9.-]{0,62}$/;
// Names between slashes, none of them "." or "..".
const GROUP = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]{1,255}){1,16}$/;

const uuid = z.string().regex(UUID, 'an id is a lower-case UUID');
const place = {
  host: uuid,
  boot: uuid,
  nonce: z.string().regex(NONCE, 'a nonce is 32 lower-case hexadecimal digits'),
};
const reason = z.string().min(1).max(500);

const requestShape: z.ZodType<GlassRequest & { readonly apiVersion: string }> = z.strictObject({
  apiVersion: z.literal(REQUEST_API),
  ...place,
  askedAt: z.string().max(40),
});

/** The shape of an order; protocol-shapes.ts uses it too. */
export const orderShape: z.ZodType<GlassOrder> = z.discriminatedUnion('action', [
  z
    .strictObject({
      action: z.literal('relax'),
      ...place,
      rules: z
        .array(z.string().regex(RULE, 'a rule is policy/rule, or source:policy/rule'))
        .max(RULES_MAX),
      cgroup: z
        .string()
        .max(2048)
        .regex(GROUP, 'a control group is an absolute path below the root')
        .nullable(),
      minutes: z.int().min(1).max(GLASS_MINUTES_MAX),
      reason,
    })
    .refine((it) => it.rules.length > 0 || it.cgroup !== null, 'name rules or a control group'),
  z.strictObject({ action: z.literal('disable'), ...place, reason }),
]);

/** What `warder break-glass request` prints. */
export function encodeGlassRequest(request: GlassRequest): Uint8Array {
  return toCanonicalJson({ apiVersion: REQUEST_API, ...request });
}

/** Reads it. */
export function parseGlassRequest(bytes: Uint8Array): Result<GlassRequest> {
  const json = parseStrictJson(bytes, { bytesMax: DOCUMENT_BYTES_MAX, plainIntegers: true });
  if (!json.ok) return invalid('not a request for break-glass', [json.error.detail]);
  const parsed = fitShape(requestShape, json.value);
  if (!parsed.success) return invalid('not a request for break-glass', zodCauses(parsed.error));
  const { host, boot, nonce, askedAt } = parsed.data;
  return ok({ host, boot, nonce, askedAt });
}

/** Checks an order that somebody is about to sign. */
export function checkOrder(order: GlassOrder): Result<GlassOrder> {
  return parseOrder(toCanonicalJson(order));
}

/** Reads an order from the canonical JSON that was signed. */
export function parseOrder(document: Uint8Array): Result<GlassOrder> {
  const json = parseStrictJson(document, { bytesMax: DOCUMENT_BYTES_MAX, plainIntegers: true });
  if (!json.ok) return invalid('not an order of break-glass', [json.error.detail]);
  const parsed = fitShape(orderShape, json.value);
  return parsed.success
    ? ok(parsed.data)
    : invalid('not an order of break-glass', zodCauses(parsed.error));
}

/** The statement that keys sign: the whole order. */
export function encodeGlassStatement(order: GlassOrder): Uint8Array {
  const kind = { name: 'break-glass order', predicateType: PREDICATE.glass };
  return encodeDocumentStatement(kind, toCanonicalJson(order));
}

/** Names an order in events: the first 64 bits of its hash; 0 is no name. */
export function glassToken(document: string): bigint {
  const hash = createHash('sha256').update(document).digest();
  return hash.readBigUInt64BE(0) || 1n;
}

/** The order inside signed statements, verified by nobody yet; they must agree about it. */
export function readGlassOrder(statements: readonly Uint8Array[]): Result<GlassOrder> {
  const document = readSignedDocument(statements, PREDICATE.glass, (why) => invalid(why, []));
  return document.ok ? parseOrder(document.value) : document;
}

/** The statements in the file of an order. */
export function parseGlassFile(bytes: Uint8Array): Result<readonly Uint8Array[]> {
  return parseCarrier('glass', bytes);
}

/** The file of an order. */
export function encodeGlassFile(statements: readonly Uint8Array[]): Uint8Array {
  return encodeCarrier('glass', statements).manifest;
}

function invalid(message: string, causes: readonly string[]): Result<never> {
  return err(failure('glass/statement-invalid', message, { causes }));
}
