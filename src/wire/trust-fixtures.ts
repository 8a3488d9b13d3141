// The fixtures of a trust policy as they are written (`trust.test.yaml`). Strict, with the place of every
// problem.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { CAUSES_MAX, err, failure, ok, type Result } from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';
import type { FixtureSigner, TrustFixture } from '../core/verify/trust-fixture.ts';
import { parseYaml } from './policy/yaml.ts';
import { fitShape, hintsOf } from './zod-words.ts';

const text = z.string().min(1).max(1024);
const number = z.union([z.int().min(1), z.string().regex(/^[1-9][0-9]{0,18}$/)]);

const time = z.string().refine((it) => !Number.isNaN(Date.parse(it)), 'not a time');

const identity = z.strictObject({
  issuer: text,
  identity: text,
  repositoryId: number.optional(),
  ownerId: number.optional(),
  runner: text.optional(),
  workflow: text.optional(),
  trigger: text.optional(),
});

const fixture = z.strictObject({
  name: text,
  repository: text,
  channel: text.default('prod'),
  tenant: text.default('default'),
  /** Ids of keys in the trust policy, or certificates. */
  signers: z.array(z.union([text, identity])).max(16),
  source: z.strictObject({ repository: text, ref: text.default('refs/heads/main') }).optional(),
  builder: z.strictObject({ id: text, buildType: text }).optional(),
  /** A verification summary of the type that the policy asks for first, about the bundle at its place. */
  verification: z
    .strictObject({
      signer: z.union([text, identity]),
      verifier: text,
      result: z.enum(['PASSED', 'FAILED']).default('PASSED'),
      levels: z.array(text).max(64),
      at: time.optional(),
    })
    .optional(),
  at: time.optional(),
  expect: z.custom<'admitted' | ErrorCode>(
    (it) => it === 'admitted' || (typeof it === 'string' && Object.hasOwn(ERRORS, it)),
    '"admitted" or an error code',
  ),
});

const shape = z.strictObject({
  apiVersion: z.literal('warder.dev/trust-test/v1'),
  tests: z.array(fixture).min(1).max(1000),
});

const COMMIT = '0'.repeat(40);

/** Reads fixtures; those without a time are judged at `nowMs`. */
export function parseTrustFixtures(
  bytes: Uint8Array,
  file: string,
  nowMs: number,
): Result<readonly TrustFixture[]> {
  const source = parseYaml(file, bytes);
  if (!source.ok) {
    const [first] = source.error;
    const at = first?.at === undefined ? {} : { at: first.at };
    return err(failure('trust/invalid', first?.message ?? 'not YAML', at));
  }
  const parsed = fitShape(shape, source.value.value);
  if (parsed.success) return ok(parsed.data.tests.map((it) => toFixture(it, nowMs)));
  const problems = parsed.error.issues.map(({ path, message }) => ({
    text: `${path.map(String).join('.') || 'document'}: ${message}`,
    at: source.value.at(path),
  }));
  const [first, ...rest] = problems;
  return err(
    failure('trust/invalid', escapeAndCut(first?.text ?? 'does not fit', 300), {
      causes: rest
        .slice(0, CAUSES_MAX)
        .map((it) => `${it.at.line}:${it.at.column} ${escapeAndCut(it.text, 200)}`),
      hints: hintsOf(parsed.error.issues),
      ...(first === undefined ? {} : { at: first.at }),
    }),
  );
}

function toFixture(it: z.infer<typeof fixture>, nowMs: number): TrustFixture {
  const { name, repository, channel, tenant, builder, expect, signers } = it;
  const from = it.source ?? {
    repository: 'https://git.example.com/fixture',
    ref: 'refs/heads/main',
  };
  const at = new Date(it.at === undefined ? nowMs : Date.parse(it.at)).toISOString();
  const source = { ...from, commit: COMMIT };
  return {
    ...{ name, repository, channel, tenant, expect, source, at },
    builder: builder ?? null,
    signers: signers.map((one) => toSigner(one, from)),
    verification: toVerification(it.verification, from, at),
  };
}

function toVerification(
  said: z.infer<typeof fixture>['verification'],
  from: Parameters<typeof toSigner>[1],
  at: string,
): TrustFixture['verification'] {
  if (said === undefined) return null;
  const { signer, verifier, result, levels } = said;
  const when = said.at === undefined ? at : new Date(said.at).toISOString();
  return {
    signer: toSigner(signer, from),
    verifier,
    passed: result === 'PASSED',
    levels,
    at: when,
  };
}

// A certificate says of its source what the fixture says, so that only who signs is in question.
function toSigner(
  one: z.infer<typeof fixture>['signers'][number],
  from: { readonly repository: string; readonly ref: string },
): FixtureSigner {
  if (typeof one === 'string') return { kind: 'key', id: one };
  const { issuer, identity: subject, repositoryId, ownerId, runner, workflow, trigger } = one;
  const { repository, ref } = from;
  const claims = {
    signerUri: subject,
    runner: runner ?? null,
    repository,
    commit: COMMIT,
    ref,
    repositoryId: repositoryId === undefined ? null : `${repositoryId}`,
    ownerId: ownerId === undefined ? null : `${ownerId}`,
    workflowUri: workflow === undefined ? null : `${repository}/${workflow}@${ref}`,
    trigger: trigger ?? null,
  };
  return { kind: 'identity', issuer, subject, claims };
}
