// Shapes of the values that the enforcer answers. The compiler checks each against the core type that
// it stands for; strict, so that an enforcer of another version is noticed and not half understood.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type Digest, parseDigest } from '../core/digest.ts';
import type {
  BundleSummary,
  CanaryReport,
  DecisionEvent,
  Enforced,
  EnforcerStatus,
  Hold,
  ProofStatus,
  SourceStatus,
  SuppressedEvents,
  TrustPreview,
  TrustReport,
} from '../core/enforcement.ts';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import type { GlassInUse, GlassRecord, GlassRequest } from '../core/glass.ts';
import type { ChannelHead, HeadStatus } from '../core/head.ts';
import { OPERATIONS } from '../core/policy/document.ts';
import type { Failure } from '../core/result.ts';
import { type BundleVersion, toBundleVersion } from '../core/version.ts';
import { orderShape } from './glass.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes as canonical base64. */
export const bytes = z.string().transform((text, context): Uint8Array => {
  const value = Buffer.from(text, 'base64');
  if (text.length % 4 === 0 && BASE64.test(text) && value.toString('base64') === text) return value;
  context.addIssue({ code: 'custom', message: 'not base64' });
  return z.NEVER;
});

/** A sha256 digest. */
export const digest = z.string().transform((text, context): Digest => {
  const parsed = parseDigest(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: 'not a digest' });
  return z.NEVER;
});

/** A version of a bundle. */
export const version = z.number().transform((value, context): BundleVersion => {
  const parsed = toBundleVersion(value);
  if (parsed !== null) return parsed;
  context.addIssue({ code: 'custom', message: 'not a bundle version' });
  return z.NEVER;
});

const position = z.strictObject({ file: z.string(), line: z.int(), column: z.int() });
/** A code of the table. */
export const code = z.custom<ErrorCode>(
  (it) => typeof it === 'string' && Object.hasOwn(ERRORS, it),
);

/** A failure with a code of the table. */
export const failureShape: z.ZodType<Failure> = z
  .strictObject({
    code,
    message: z.string(),
    causes: z.array(z.string()),
    hints: z.array(z.string()),
    at: position.optional(),
  })
  .transform(({ at, ...rest }) => (at === undefined ? rest : { ...rest, at }));

const summary: z.ZodType<BundleSummary> = z.strictObject({
  digest,
  version,
  repository: z.string(),
  channel: z.string(),
  commit: z.string(),
  sourceRepository: z.string(),
  signers: z.array(
    z.strictObject({ id: z.string(), kind: z.enum(['key', 'identity']), fingerprint: digest }),
  ),
  expires: z.string(),
});

/** What is enforced. */
export const enforcedShape: z.ZodType<Enforced> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('nothing') }),
  z.strictObject({ kind: z.literal('baseline'), generation: z.int(), since: z.string() }),
  z.strictObject({
    kind: z.literal('bundle'),
    generation: z.int(),
    since: z.string(),
    bundle: summary,
    confirmed: z.boolean(),
  }),
]);

/** The answer of the canaries. */
export const canaryShape: z.ZodType<CanaryReport> = z.strictObject({
  healthy: z.boolean(),
  generation: z.int(),
  at: z.string(),
  results: z.array(
    z.strictObject({
      hook: z.string(),
      operation: z.enum(OPERATIONS),
      outcome: z.enum([
        'denied',
        'allowed',
        'no-answer',
        'no-event',
        'wrong-errno',
        'wrong-generation',
      ]),
      detail: z.string(),
    }),
  ),
});

const proof: z.ZodType<ProofStatus> = z.strictObject({
  state: z.enum(['proven', 'disproven', 'unknown']),
  generation: z.int().nullable(),
  at: z.string(),
  reasons: z.array(failureShape),
  ageMs: z.int().min(0),
  periodMs: z.int().min(1),
});

/** A rollback that holds. */
export const hold: z.ZodType<Hold> = z.strictObject({
  digest,
  version,
  by: z.string(),
  reason: z.string(),
  at: z.string(),
});

const action = z.enum(['deny', 'audit', 'let']);
const reason = z.enum(['rule', 'refer', 'incomplete', 'self']);

const suppressed: z.ZodType<SuppressedEvents> = z.strictObject({
  rule: z.string().nullable(),
  action,
  reason,
  generation: z.int(),
  count: z.int(),
  firstAt: z.string(),
  lastAt: z.string(),
});

/** A head that was accepted. */
export const channelHead: z.ZodType<ChannelHead> = z.strictObject({
  repository: z.string(),
  channel: z.string(),
  version,
  digest,
  sequence: z.int(),
  issuedAt: z.string(),
  expires: z.string(),
});

/** What is known of the channel's head. */
export const headShape: z.ZodType<HeadStatus> = z.strictObject({
  state: z.enum(['fresh', 'stale', 'none']),
  maxAgeMs: z.int().min(1),
  last: channelHead.nullable(),
});

/** What came of a change of the trust policy. */
export const trustReportShape: z.ZodType<TrustReport> = z.strictObject({
  version: z.int(),
  fingerprint: digest,
  distrusted: z.array(digest),
});

/** What a trust policy would do. */
export const trustPreviewShape: z.ZodType<TrustPreview> = z.strictObject({
  hasRoots: z.boolean(),
  isProtected: z.boolean(),
  timeFloorMs: z.number().nonnegative(),
  distrusted: z.array(z.strictObject({ digest, why: z.string() })),
});

const text = z.string();
const at = z.strictObject({ by: text, at: text });
const glassFields = {
  id: text,
  order: orderShape,
  signers: z.array(text),
  by: text,
  usedAt: text,
  untilMs: z.number(),
  ended: at.nullable(),
};

/** Break-glass that is in use. */
export const glassShape: z.ZodType<GlassInUse> = z.strictObject({
  ...glassFields,
  leftMs: z.number(),
});

/** What was used on this host. */
export const glassListShape: z.ZodType<readonly GlassRecord[]> = z.array(
  z.strictObject(glassFields),
);

/** What a host asks for. */
export const glassRequestShape: z.ZodType<GlassRequest> = z.strictObject({
  host: text,
  boot: text,
  nonce: text,
  askedAt: text,
});

const sourceStatus: z.ZodType<SourceStatus> = z.strictObject({
  name: z.string(),
  repository: z.string(),
  channel: z.string(),
  isConfigured: z.boolean(),
  enforced: enforcedShape,
  lastKnownGood: summary.nullable(),
  highestSeen: version.nullable(),
  hold: hold.nullable(),
  head: headShape.nullable(),
});

/** The whole status. */
export const statusShape: z.ZodType<EnforcerStatus> = z.strictObject({
  enforced: enforcedShape,
  lastKnownGood: summary.nullable(),
  highestSeen: version.nullable(),
  hold: hold.nullable(),
  canary: canaryShape.nullable(),
  proof: proof.nullable(),
  hooks: z.array(
    z.strictObject({
      hook: z.string(),
      program: z.string(),
      state: z.enum(['attached', 'rejected', 'absent', 'detached', 'idle']),
      detail: z.string(),
    }),
  ),
  totals: z.strictObject({
    sequence: z.int(),
    emitted: z.int(),
    dropped: z.int(),
    denied: z.int(),
    audited: z.int(),
    incomplete: z.int(),
    let: z.int(),
    suppressed: z.int(),
  }),
  suppressed: z.array(suppressed),
  adopted: z.boolean(),
  selfProtection: z.strictObject({
    state: z.enum(['on', 'off', 'unavailable']),
    detail: z.string(),
  }),
  trust: z.strictObject({ version: z.int(), fingerprint: digest }),
  record: digest.nullable(),
  head: headShape.nullable(),
  sources: z.array(sourceStatus),
  enforcerVersion: z.string(),
  bootId: z.string(),
  disabled: z.strictObject({ by: text, reason: text, at: text }).nullable(),
  breakGlass: glassShape.nullable(),
  alerts: z.array(failureShape),
  demoted: z.array(z.string()),
  leftOut: z.array(z.string()),
});

/** One decision event. */
export const eventShape: z.ZodType<DecisionEvent> = z.strictObject({
  id: z.string(),
  at: z.string(),
  action,
  reason,
  operation: z.enum(OPERATIONS).nullable(),
  hook: z.string(),
  errno: z.literal('EACCES').nullable(),
  generation: z.int(),
  rule: z.string().nullable(),
  ruleReason: z.string().nullable(),
  mode: z.enum(['audit', 'enforce']).nullable(),
  origin: position.nullable(),
  bundle: summary.nullable(),
  object: z.strictObject({ path: z.string(), pathCut: z.boolean(), identity: z.string() }),
  process: z.strictObject({
    pid: z.int(),
    tgid: z.int(),
    ppid: z.int(),
    uid: z.int(),
    comm: z.string(),
    exe: z.string().nullable(),
    exeIdentity: z.string(),
    cgroupId: z.string(),
    startedAt: z.string(),
  }),
  breakGlass: z.string().nullable(),
  stacks: z.strictObject({ kernel: z.string().nullable(), user: z.string().nullable() }),
});

/** A list of them, newest last. */
export const eventsShape: z.ZodType<readonly DecisionEvent[]> = z.array(eventShape);

/** An event, or that there is none of this id. */
export const maybeEventShape: z.ZodType<DecisionEvent | null> = eventShape.nullable();
