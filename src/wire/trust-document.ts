// The trust policy as it is written: shapes, and the checks that need nothing but one value. What is
// vacuous as a whole is found in trust.ts. Strict: an unknown field is a demand that nobody would check.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { PREDICATE } from '../core/bundle.ts';
import { parseDigest } from '../core/digest.ts';
import { GLASS_MINUTES_DEFAULT, GLASS_MINUTES_MAX } from '../core/glass.ts';
import { formatRepository, parseReference } from '../core/reference.ts';

const LIST_MAX = 256;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ISO = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?$/;
const LITERAL = /^[\x21-\x29\x2b-\x7e]{1,512}$/;

const name = z.string().regex(NAME, 'a name is lower-case letters, digits and ._- (63 at most)');
// Compared byte by byte, so a "*" would never match what its author meant.
const literal = z.string().regex(LITERAL, 'a literal is ASCII without spaces and without "*"');
const digest = z
  .string()
  .refine((it) => parseDigest(it).ok, 'a digest is sha256: and 64 lower-case hexadecimal digits');
const time = z.string().refine(isTime, 'a time is YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ (UTC)');
const scope = z
  .string()
  .refine(isScope, 'a scope is a registry host or repository, whole path segments, no wildcard');

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(LIST_MAX);

const keyShape = z
  .strictObject({
    file: z.string().min(1).max(1024).optional(),
    pem: z.string().min(1).max(16_384).optional(),
    notBefore: time,
    notAfter: time,
  })
  .refine((it) => (it.file === undefined) !== (it.pem === undefined), 'give one of file and pem')
  .refine((it) => Date.parse(it.notBefore) < Date.parse(it.notAfter), 'the window is empty');

const number = z.union([
  z.int().min(1),
  z.string().regex(/^[1-9][0-9]{0,18}$/, 'an id is a whole number above 0'),
]);

// One wildcard, last, after a fixed host and a fixed path: anything wider would admit strangers.
const subject = z
  .string()
  .max(1024)
  .refine((it) => LITERAL.test(it.replace(/\*$/, '')), 'an identity is ASCII, "*" only at its end')
  .refine(
    (it) => !it.endsWith('*') || /^https:\/\/[^/]+\/[^*]*[^*/]\*$/.test(it),
    'a "*" follows https://HOST/ and a part of a path segment',
  );

const identityShape = z.strictObject({
  id: name,
  issuer: literal,
  identity: subject,
  repositoryId: number.optional(),
  ownerId: number.optional(),
  runner: literal.optional(),
  workflow: literal.optional(),
  triggers: listOf(literal).optional(),
});

const thresholdsShape = z.strictObject({
  tlog: z.int().min(1).max(8).default(1),
  ctlog: z.int().min(1).max(8).default(1),
  timestamp: z.int().min(1).max(8).default(1),
});

const signerShape = z.union([z.strictObject({ id: name, key: keyShape }), identityShape]);

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_AGE_MS_MAX = 90 * UNIT_MS.d;

const age = z
  .string()
  .regex(/^[1-9][0-9]{0,4}[mhd]$/, 'an age is a number of minutes, hours or days, such as 24h')
  .transform((it) => Number(it.slice(0, -1)) * UNIT_MS[it.slice(-1) as keyof typeof UNIT_MS])
  .refine((ms) => ms <= MAX_AGE_MS_MAX, 'more than 90d');

const freshnessShape = z.strictObject({
  head: z.literal('required'),
  maxAge: age,
  /** Who may sign heads; without it everybody who may sign releases. */
  anyOf: listOf(signerShape).optional(),
});

// No level of none, and none of a failure: a demand that everything fulfils is no demand.
const level = literal.refine((it) => it !== 'FAILED' && !/^SLSA_.*_LEVEL_0$/.test(it), {
  message: 'a level that says nothing',
});

const verificationShape = z.strictObject({
  verifier: literal,
  predicateTypes: listOf(z.enum([PREDICATE.vsa, PREDICATE.svr])).optional(),
  levels: listOf(level),
  maxAge: age,
  /** Who may sign for the verifier. */
  anyOf: listOf(signerShape),
});

// Far above what a publisher needs, and far below what a number can hold.
const VERSION_STEP = 100_000;

const scopePolicyShape = z.strictObject({
  name,
  scope,
  channels: listOf(name),
  tenant: name.optional(),
  require: z.strictObject({
    release: z.strictObject({
      minimumMatches: z.int().min(1),
      /** Ids of signers of `anyOf` who must be among those who signed. */
      allOf: listOf(name).optional(),
      anyOf: listOf(signerShape),
      predicateTypes: listOf(z.enum([PREDICATE.release, PREDICATE.cosignSign])).optional(),
    }),
    provenance: z
      .strictObject({
        builderIds: listOf(literal),
        buildTypes: listOf(literal),
        sourceRepositories: listOf(literal),
        signers: listOf(name).optional(),
      })
      .optional(),
    verification: verificationShape.optional(),
  }),
  thresholds: thresholdsShape.prefault({}),
  freshness: freshnessShape.optional(),
  maxVersionStep: z.int().min(1).max(1_000_000_000).default(VERSION_STEP),
});

const rootKeyShape = z
  .strictObject({
    id: name,
    file: z.string().min(1).max(1024).optional(),
    pem: z.string().min(1).max(16_384).optional(),
  })
  .refine((it) => (it.file === undefined) !== (it.pem === undefined), 'give one of file and pem');

export const trustDocumentShape = z.strictObject({
  apiVersion: z.literal('warder.dev/trust/v1'),
  version: z.int().min(1),
  /** A path, or the document itself as text. */
  trustedRoot: z
    .union([z.string().min(1).max(1024), z.strictObject({ inline: z.string().min(2) })])
    .optional(),
  roots: z
    .strictObject({ threshold: z.int().min(1).max(16), keys: z.array(rootKeyShape).min(1).max(16) })
    .optional(),
  breakGlass: z
    .strictObject({
      threshold: z.int().min(1).max(16),
      maxMinutes: z.int().min(1).max(GLASS_MINUTES_MAX).default(GLASS_MINUTES_DEFAULT),
      keys: z.array(rootKeyShape).min(1).max(16),
    })
    .optional(),
  policies: listOf(scopePolicyShape),
  revoked: z
    .strictObject({
      digests: z.array(digest).max(4096).default([]),
      keys: z.array(digest).max(4096).default([]),
      identities: z.array(literal).max(4096).default([]),
    })
    .prefault({}),
  onDistrustedLkg: z.enum(['keep-and-alert', 'baseline']).default('keep-and-alert'),
  /** Applies even where it distrusts what is active. */
  force: z.boolean().default(false),
});

export type TrustDocument = z.infer<typeof trustDocumentShape>;
export type ScopeDocument = TrustDocument['policies'][number];
export type SignerDocument = ScopeDocument['require']['release']['anyOf'][number];
export type KeyDocument = Extract<SignerDocument, { key: unknown }>['key'];
export type IdentityDocument = z.infer<typeof identityShape>;

/** Refuses 30 February too: what is parsed must print back as it was written. */
function isTime(text: string): boolean {
  if (!ISO.test(text)) return false;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.replace(/Z$/, ''));
}

/** A scope is what a repository looks like with its last segments missing; a bare host is one too. */
function isScope(text: string): boolean {
  if (/[/:]$/.test(text) || text.includes('//')) return false;
  const reference = parseReference(`${text}/x`);
  if (!reference.ok) return false;
  const { repository, tag, digest: pinned } = reference.value;
  return tag === null && pinned === null && formatRepository(repository) === `${text}/x`;
}
