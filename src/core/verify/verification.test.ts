// Where a verification is demanded: each row spoils one thing of a summary that is good in every respect.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest';
import {
  DIGEST,
  digestOf,
  KEY_A,
  KEY_V,
  makeContext,
  makeEvidence,
  makeScope,
  makeTrust,
  makeVerification,
  NOW_MS,
  provenanceBy,
  releaseBy,
  summaryBy,
} from '../../../test/support/verify.ts';
import { PREDICATE } from '../bundle.ts';
import { failure } from '../result.ts';
import { includesLevel } from '../summary.ts';
import { CHECKS } from './check.ts';
import type { AttestationFact, SignedFact } from './evidence.ts';
import { judge } from './judge.ts';
import type { TrustPolicy } from './trust.ts';
import type { VerifyContext } from './verdict.ts';

const asking = (change: Parameters<typeof makeVerification>[0] = {}, more = {}) =>
  makeTrust({ policies: [makeScope({ verification: makeVerification(change) })], ...more });
const RELEASED = [releaseBy(KEY_A), provenanceBy(KEY_A)];
const iso = (ms: number) => new Date(ms).toISOString();
const DAY_MS = 24 * 3_600_000;

function codesOf(
  summaries: readonly AttestationFact[],
  trust: TrustPolicy = asking(),
  context: Partial<VerifyContext> = {},
) {
  const evidence = makeEvidence({ attestations: [...RELEASED, ...summaries] });
  const verdict = judge(evidence, trust, makeContext(context));
  return verdict.kind === 'accepted' ? [] : verdict.failures.map((it) => it.code);
}

const svr = (fact: SignedFact): SignedFact => ({ ...fact, predicateType: PREDICATE.svr });
const REJECTED = ['verify/vsa-rejected'];
const MISSING = ['verify/vsa-missing'];

describe('a scope that asks for a verification', () => {
  test('admits by one summary that fulfils everything', () => {
    expect(codesOf([summaryBy(KEY_V)])).toEqual([]);
  });

  test('has a check of its own, with what was demanded', () => {
    const attestations = [...RELEASED, summaryBy(KEY_V)];
    const { checks } = judge(makeEvidence({ attestations }), asking(), makeContext());
    expect(checks.map((it) => it.check)).toEqual([...CHECKS]);
    expect(checks.find((it) => it.check === 'verification')).toMatchObject({
      outcome: 'passed',
      inputs: { attestations: 3, levels: ['SLSA_BUILD_LEVEL_3'], maxAgeMs: DAY_MS },
    });
  });

  test('refuses where none is attached, whatever else is', () => {
    expect(codesOf([])).toEqual(MISSING);
    expect(codesOf([svr(summaryBy(KEY_V))])).toEqual(MISSING);
    const spoiled = failure('verify/signature-invalid', 'spoiled');
    expect(codesOf([{ kind: 'unusable', failure: spoiled }])).toEqual([
      'verify/signature-invalid',
      ...MISSING,
    ]);
  });

  test.each([
    ['FAILED', { passed: false }],
    ['another verifier', { verifier: 'https://verifier.example.com/policies-evil' }],
    ['another place', { resource: `oci://registry.example.com/other@${DIGEST}` }],
    ['a tag', { resource: 'oci://registry.example.com/policies/web:prod' }],
    ['another digest', { resource: `oci://registry.example.com/policies/web@${digestOf('e')}` }],
    ['a lower level', { levels: ['SLSA_BUILD_LEVEL_2'] }],
    ['the level of another track', { levels: ['SLSA_SOURCE_LEVEL_3'] }],
    ['nothing', { levels: [] }],
    ['a time that is none', { verifiedAt: 'soon' }],
    ['the future', { verifiedAt: iso(NOW_MS + 5 * 60_000 + 1) }],
    ['long ago', { verifiedAt: iso(NOW_MS - DAY_MS - 1) }],
  ])('P12 refuses a summary that says %s', (_what, change) => {
    expect(codesOf([summaryBy(KEY_V, change)])).toEqual(REJECTED);
    expect(
      codesOf([svr(summaryBy(KEY_V, change))], asking({ predicateTypes: [PREDICATE.svr] })),
    ).toEqual(REJECTED);
  });

  test.each([
    ['the last moment of its window', { verifiedAt: iso(NOW_MS - DAY_MS) }],
    ['a clock that is a little ahead', { verifiedAt: iso(NOW_MS + 5 * 60_000) }],
    ['a higher level', { levels: ['X', 'SLSA_BUILD_LEVEL_4'] }],
    ['the place without a scheme', { resource: `registry.example.com/policies/web@${DIGEST}` }],
  ])('admits by one with %s', (_what, change) => {
    expect(codesOf([summaryBy(KEY_V, change)])).toEqual([]);
  });

  test('takes a result (SVR) where it lists that type', () => {
    const both = asking({ predicateTypes: [PREDICATE.vsa, PREDICATE.svr] });
    expect(codesOf([svr(summaryBy(KEY_V, { resource: null }))], both)).toEqual([]);
    expect(codesOf([summaryBy(KEY_V)], both)).toEqual([]);
  });

  test('P12 refuses the right words under a wrong signature', () => {
    expect(codesOf([summaryBy(KEY_A)])).toEqual(REJECTED);
    expect(codesOf([summaryBy(digestOf('c'))])).toEqual(REJECTED);
    const keys = [KEY_V];
    const revoked = asking({}, { revoked: { digests: [], keys, identities: [] } });
    expect(codesOf([summaryBy(KEY_V)], revoked)).toEqual(REJECTED);
  });

  test('refuses a summary of another subject', () => {
    const other = { ...summaryBy(KEY_V), subjects: [digestOf('e')] };
    expect(codesOf([other])).toEqual(['verify/subject-mismatch']);
  });

  test('never makes one whole of two halves', () => {
    const halves = [
      summaryBy(KEY_V, { levels: ['SLSA_BUILD_LEVEL_3'] }),
      summaryBy(KEY_V, { levels: ['REVIEWED'] }),
      summaryBy(KEY_V, { passed: false, levels: ['SLSA_BUILD_LEVEL_3', 'REVIEWED'] }),
    ];
    const trust = asking({ levels: ['SLSA_BUILD_LEVEL_3', 'REVIEWED'] });
    expect(new Set(codesOf(halves, trust))).toEqual(new Set(REJECTED));
    const whole = summaryBy(KEY_V, { levels: ['SLSA_BUILD_LEVEL_3', 'REVIEWED'] });
    expect(codesOf([...halves, whole], trust)).toEqual([]);
  });

  test('gives a signer of verifications no say in releases', () => {
    const attestations = [releaseBy(KEY_V), provenanceBy(KEY_V), summaryBy(KEY_V)];
    const verdict = judge(makeEvidence({ attestations }), asking(), makeContext());
    const codes = verdict.kind === 'refused' ? verdict.failures.map((it) => it.code) : [];
    expect(codes).toEqual([
      'verify/key-unknown',
      'verify/threshold-not-met',
      'verify/provenance-missing',
    ]);
  });

  test('forgives a replay its age, and nothing else', () => {
    const replay = { purpose: 'replay', admitted: [DIGEST], nowMs: NOW_MS + 9 * DAY_MS } as const;
    expect(codesOf([summaryBy(KEY_V)], asking(), replay)).toEqual([]);
    expect(codesOf([summaryBy(KEY_V, { passed: false })], asking(), replay)).toEqual(REJECTED);
    expect(codesOf([], asking(), replay)).toEqual(MISSING);
  });
});

test('a level of SLSA includes the lower ones of its track, and no other word does', () => {
  expect(includesLevel(['SLSA_BUILD_LEVEL_3'], 'SLSA_BUILD_LEVEL_1')).toBe(true);
  expect(includesLevel(['SLSA_BUILD_LEVEL_1'], 'SLSA_BUILD_LEVEL_3')).toBe(false);
  expect(includesLevel(['SLSA_SOURCE_LEVEL_3'], 'SLSA_BUILD_LEVEL_1')).toBe(false);
  expect(includesLevel(['SLSA_BUILD_LEVEL_30'], 'SLSA_BUILD_LEVEL_1')).toBe(false);
  expect(includesLevel(['TEAM_LEVEL_3'], 'TEAM_LEVEL_1')).toBe(false);
  expect(includesLevel(['REVIEWED'], 'REVIEWED')).toBe(true);
});
