// A decision record as bytes: canonical JSON, whose hash is its id. `decision.json` of an exported folder
// and what the enforcer answers are the same document.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type {
  DecisionInput,
  DecisionRecord,
  Privileged,
  Question,
  RecordBytes,
  RecordLine,
} from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { HeadContext } from '../core/verify/head.ts';
import type { CheckRecord, Plain, VerifyContext } from '../core/verify/verdict.ts';
import { isCanonicalJson, toCanonicalJson } from './canonical-json.ts';
import { digestOf } from './content.ts';
import {
  bytes,
  channelHead,
  code,
  digest,
  failureShape,
  hold,
  version,
} from './protocol-shapes.ts';
import { parseStrictJson } from './strict-json.ts';
import { fitShape } from './zod-words.ts';

const plain: z.ZodType<Plain> = z.lazy(() =>
  z.union([
    z.null(),
    z.boolean(),
    z.number(),
    z.string(),
    z.array(plain),
    z.record(z.string(), plain),
  ]),
);
const floor = z.strictObject({ highestSeen: version, digest });
const nowMs = z.number().min(0).max(8.64e15);

const context: z.ZodType<VerifyContext> = z.strictObject({
  nowMs,
  floor: floor.nullable(),
  admitted: z.array(digest),
  repository: z.string(),
  channel: z.string(),
  agentVersion: z.string(),
  labels: z.record(z.string(), z.string()),
  head: channelHead.nullable(),
  host: z.strictObject({ kernel: z.string(), hooks: z.array(z.string()) }).exactOptional(),
  purpose: z.enum(['admit', 'replay']),
});

const headContext: z.ZodType<HeadContext> = z.strictObject({
  nowMs,
  repository: z.string(),
  channel: z.string(),
  last: channelHead.nullable(),
  floor: floor.nullable(),
});

const privileged: z.ZodType<Privileged> = z.strictObject({
  timeFloorMs: nowMs,
  isLost: z.boolean(),
  hold: hold.nullable(),
  lastKnownGood: digest.nullable(),
});

const question: z.ZodType<Question> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bundle'), context, privileged: privileged.nullable() }),
  z.strictObject({
    kind: z.literal('head'),
    context: headContext,
    timeFloorMs: nowMs.nullable(),
  }),
  z.strictObject({
    kind: z.literal('trust'),
    from: z.enum(['statements', 'file']),
    isForced: z.boolean(),
    context,
    others: z
      .array(z.strictObject({ digest, repository: z.string(), channel: z.string() }))
      .min(1)
      .exactOptional(),
  }),
  z.strictObject({ kind: z.literal('fetch'), nowMs }),
]);

const input: z.ZodType<DecisionInput> = z.strictObject({
  reference: z.string().nullable(),
  subject: digest.nullable(),
  bundles: z.array(
    z.strictObject({
      digest,
      parts: z
        .strictObject({
          manifest: digest,
          config: digest,
          files: z.array(z.strictObject({ said: digest, bytes: digest })),
          attestations: z.array(digest),
        })
        .nullable(),
      skipped: z.array(failureShape),
    }),
  ),
  statements: z.array(digest),
  document: digest.nullable(),
});

const check: z.ZodType<CheckRecord> = z
  .strictObject({
    check: z.string(),
    outcome: z.enum(['passed', 'refused', 'skipped', 'not-run']),
    detail: z.string(),
    inputs: z.record(z.string(), plain),
    codes: z.array(code),
    durationMs: z.number().optional(),
  })
  .transform(({ durationMs, ...rest }) =>
    durationMs === undefined ? rest : { ...rest, durationMs },
  );

const record: z.ZodType<DecisionRecord> = z.strictObject({
  apiVersion: z.literal('warder.dev/decision/v1'),
  by: z.enum(['agent', 'enforcer']),
  program: z.string(),
  at: z.string(),
  trust: z.strictObject({
    version: z.int(),
    fingerprint: digest,
    document: digest,
    root: digest.nullable(),
  }),
  question,
  input,
  checks: z.array(check),
  outcome: z.enum(['accepted', 'refused']),
  failures: z.array(failureShape),
  durationMs: z.number().nullable(),
});

/** A list of records, newest last. */
export const recordLinesShape: z.ZodType<readonly RecordLine[]> = z.array(
  z.strictObject({
    id: digest,
    by: z.enum(['agent', 'enforcer']),
    kind: z.enum(['bundle', 'head', 'trust', 'fetch']),
    at: z.string(),
    outcome: z.enum(['accepted', 'refused']),
    code: code.nullable(),
    subject: digest.nullable(),
    count: z.int(),
    lastAt: z.string(),
    hasBytes: z.boolean(),
  }),
);

/** The same, or that there is none of this id. */
export const recordBytesShape: z.ZodType<RecordBytes | null> = z
  .strictObject({ record: bytes, blobs: z.array(bytes) })
  .nullable();

/** The bytes of a record; their hash is its id. */
export function encodeRecord(value: DecisionRecord): {
  readonly id: Digest;
  readonly bytes: Uint8Array;
} {
  const encoded = toCanonicalJson(value);
  return { id: digestOf(encoded), bytes: encoded };
}

/** Reads a record; one that is not of this id, or not canonical, is damaged. */
export function parseRecord(encoded: Uint8Array, id: Digest): Result<DecisionRecord> {
  if (digestOf(encoded) !== id) return damaged('its hash is not its id');
  const json = parseStrictJson(encoded, { bytesMax: LIMITS.recordBytesMax });
  if (!json.ok) return damaged(json.error.detail);
  if (!isCanonicalJson(json.value, encoded)) return damaged('it is not canonical JSON');
  const parsed = fitShape(record, json.value);
  if (parsed.success) return ok(parsed.data);
  const [first] = parsed.error.issues;
  return damaged(`${first?.path.map(String).join('.')}: ${first?.message}`);
}

function damaged(why: string): Result<never> {
  return err(
    failure('state/evidence-damaged', 'the decision record is damaged', { causes: [why] }),
  );
}
