// The protocol of the enforcer socket, in both directions, strict: an unknown field is a refusal.
//
//   client -> { hello: { protocol, client } }         enforcer -> { hello: { protocol, enforcer, role } }
//   client -> { id, request, ...arguments }           enforcer -> { id, ok: true, value } | { id, ok: false, failure }
//   after `follow`: enforcer -> { id, ok: true, value: event } until the connection ends
//   before it closes on its own: enforcer -> { closing: failure }
//
// Bundles travel as base64. Who the peer is comes from the kernel, never from a message.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { BundleBytes } from '../core/bundle.ts';
import { LIMITS } from '../core/limits.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { bytes, digest, failureShape } from './protocol-shapes.ts';
import { fitShape } from './zod-words.ts';

/** Raised with every change that an older peer would misread. */
export const PROTOCOL_VERSION = 6;

const id = z.int().min(1);
const statements = z.array(bytes).min(1).max(LIMITS.headStatementsMax);
/** The name of a source besides the main one. It stands before a colon in the names of its rules. */
export const sourceName = z
  .string()
  .regex(
    /^(?!warder-)[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/,
    'lower-case letters, digits and inner hyphens, at most 31, not warder-…',
  );
const source = sourceName.optional();
const words = z.string().min(1).max(500);

const bundle: z.ZodType<BundleBytes> = z
  .strictObject({
    digest,
    manifest: bytes,
    config: bytes,
    files: z.array(z.strictObject({ digest, bytes })).max(LIMITS.layersMax),
    attestations: z.array(bytes).max(LIMITS.referrersMax),
  })
  .readonly();

const request = z.discriminatedUnion('request', [
  z.strictObject({ id, request: z.literal('status'), source }),
  z.strictObject({ id, request: z.literal('activate'), bundle }),
  z.strictObject({
    id,
    request: z.literal('head'),
    statements,
    source,
  }),
  z.strictObject({ id, request: z.literal('trust'), statements }),
  z.strictObject({ id, request: z.literal('force-trust'), statements }),
  z.strictObject({ id, request: z.literal('read-trust') }),
  z.strictObject({ id, request: z.literal('preview-trust'), document: bytes }),
  z.strictObject({ id, request: z.literal('probe') }),
  z.strictObject({ id, request: z.literal('confirm'), digest }),
  z.strictObject({ id, request: z.literal('restore'), reason: words, source }),
  z.strictObject({ id, request: z.literal('rollback'), by: words, reason: words, source }),
  z.strictObject({ id, request: z.literal('resume'), by: words }),
  z.strictObject({ id, request: z.literal('remove-source'), by: words, name: sourceName }),
  z.strictObject({
    id,
    request: z.literal('disable'),
    by: words,
    reason: words,
    order: statements.nullable(),
  }),
  z.strictObject({ id, request: z.literal('ask-glass') }),
  z.strictObject({ id, request: z.literal('use-glass'), statements, by: words }),
  z.strictObject({ id, request: z.literal('end-glass'), by: words }),
  z.strictObject({ id, request: z.literal('list-glass') }),
  z.strictObject({
    id,
    request: z.literal('events'),
    after: z.string().max(64).optional(),
    limit: z.int().min(1).max(10_000),
  }),
  z.strictObject({ id, request: z.literal('event'), eventId: z.string().max(64) }),
  z.strictObject({
    id,
    request: z.literal('records'),
    limit: z.int().min(1).max(1000),
  }),
  z.strictObject({ id, request: z.literal('record'), recordId: digest }),
  z.strictObject({ id, request: z.literal('follow') }),
]);

/** A request after parsing. */
export type Request = z.infer<typeof request>;

const clientHello = z.strictObject({
  hello: z.strictObject({ protocol: z.int(), client: z.string().max(100) }),
});

const enforcerHello = z.strictObject({
  hello: z.strictObject({
    protocol: z.int(),
    enforcer: z.string().max(100),
    role: z.enum(['root', 'agent', 'reader', 'stranger']),
  }),
});

const response = z.union([
  z.strictObject({ id, ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id, ok: z.literal(false), failure: failureShape }),
  z.strictObject({ closing: failureShape }),
]);

/** Reads the first message of a client; another protocol version is `host/protocol-mismatch`. */
export function parseClientHello(value: unknown): Result<{ readonly client: string }> {
  const parsed = parse(clientHello, value);
  return parsed.ok ? checkVersion(parsed.value.hello) : parsed;
}

/** Reads the answer to it. */
export function parseEnforcerHello(value: unknown): Result<{ readonly role: string }> {
  // An enforcer that refuses before the handshake says why.
  const closing = fitShape(response, value);
  if (closing.success && 'closing' in closing.data) return err(closing.data.closing as Failure);
  const parsed = parse(enforcerHello, value);
  return parsed.ok ? checkVersion(parsed.value.hello) : parsed;
}

/** Reads a request. */
export function parseRequest(value: unknown): Result<Request> {
  return parse(request, value);
}

/** Reads a response; `value` is checked by the caller against the shape of its request. */
export function parseResponse(value: unknown): Result<{ id: number; answer: Result<unknown> }> {
  const parsed = parse(response, value);
  if (!parsed.ok) return parsed;
  if ('closing' in parsed.value) return err(parsed.value.closing);
  const { id: to } = parsed.value;
  return ok({
    id: to,
    answer: parsed.value.ok ? ok(parsed.value.value) : err(parsed.value.failure),
  });
}

/** The bundle as it travels. */
export function encodeBundle(value: BundleBytes): unknown {
  return {
    digest: value.digest,
    manifest: encodeBytes(value.manifest),
    config: encodeBytes(value.config),
    files: value.files.map((it) => ({ digest: it.digest, bytes: encodeBytes(it.bytes) })),
    attestations: value.attestations.map(encodeBytes),
  };
}

/** The shape of a message; its parser. */
export type Shape<T> = z.ZodType<T>;

/** Parses with a schema; the first problems become causes. */
export function parse<T>(schema: Shape<T>, value: unknown): Result<T> {
  const parsed = fitShape(schema, value);
  if (parsed.success) return ok(parsed.data);
  return err(
    failure('host/protocol-invalid', 'a message does not fit the protocol', {
      causes: parsed.error.issues
        .slice(0, 4)
        .map((it) => `${it.path.map(String).join('.').slice(0, 100)}: ${it.code}`),
    }),
  );
}

function checkVersion<T extends { readonly protocol: number }>(hello: T): Result<T> {
  if (hello.protocol === PROTOCOL_VERSION) return ok(hello);
  return err(
    failure('host/protocol-mismatch', `the peer speaks protocol ${hello.protocol}`, {
      causes: [`this program speaks protocol ${PROTOCOL_VERSION}`],
      hints: ['restart the enforcer and the agent after an upgrade'],
    }),
  );
}

/** Bytes as they travel. */
export function encodeBytes(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
}
