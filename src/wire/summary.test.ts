// Predicates of verification summaries: what is read, and what is refused.
//
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { parseSvrPredicate, parseVsaPredicate } from './summary.ts';

const VSA = {
  verifier: { id: 'https://verifier.example.com', version: { checker: '1.2' } },
  timeVerified: '2026-03-01T11:00:00.52Z',
  resourceUri: 'oci://registry.example.com/policies/web',
  policy: { uri: 'https://verifier.example.com/policy', digest: { sha256: 'ab' } },
  inputAttestations: [{ uri: 'https://verifier.example.com/1', digest: { sha256: 'cd' } }],
  verificationResult: 'PASSED',
  verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
  dependencyLevels: { SLSA_BUILD_LEVEL_2: 7 },
  slsaVersion: '1.0',
};
const SVR = {
  verifier: { id: 'https://verifier.example.com' },
  timeCreated: '2026-03-01T11:00:00Z',
  properties: ['REVIEWED'],
};

test('a summary is read with every field that the specification names', () => {
  expect(parseVsaPredicate(VSA)).toEqual({
    ok: true,
    value: {
      verifier: 'https://verifier.example.com',
      verifiedAt: '2026-03-01T11:00:00.52Z',
      resource: 'oci://registry.example.com/policies/web',
      passed: true,
      levels: ['SLSA_BUILD_LEVEL_3'],
    },
  });
  expect(parseSvrPredicate(SVR)).toMatchObject({
    ok: true,
    value: { resource: null, passed: true, levels: ['REVIEWED'] },
  });
});

test.each([
  ['FAILED', { verificationResult: 'FAILED' }],
  ['PASSED, of the level FAILED', { verifiedLevels: ['SLSA_BUILD_LEVEL_3', 'FAILED'] }],
])('one that says %s has not passed', (_what, change) => {
  expect(parseVsaPredicate({ ...VSA, ...change })).toMatchObject({ value: { passed: false } });
});

test.each([
  ['an unknown field', { extra: true }],
  ['an unknown field of the verifier', { verifier: { id: 'https://a.example', evil: 1 } }],
  ['an unknown result', { verificationResult: 'passed' }],
  ['no verifier', { verifier: undefined }],
  ['no resource', { resourceUri: undefined }],
  ['no policy', { policy: undefined }],
  ['a policy without a name', { policy: { digest: { sha256: 'ab' } } }],
  ['no levels', { verifiedLevels: undefined }],
  ['a level that is no text', { verifiedLevels: [3] }],
  ['a time with an offset', { timeVerified: '2026-03-01T11:00:00+01:00' }],
  ['a time that is not of the calendar', { timeVerified: '2026-02-30T11:00:00.1Z' }],
])('a summary with %s is refused', (_what, change) => {
  expect(parseVsaPredicate({ ...VSA, ...change })).toMatchObject({
    error: { code: 'verify/vsa-rejected' },
  });
});

test.each([
  ['an unknown field', { result: 'PASSED' }],
  ['a verifier that says more', { verifier: { id: 'https://a.example', policy: {} } }],
  ['no time', { timeCreated: undefined }],
  ['no properties', { properties: undefined }],
])('a result with %s is refused', (_what, change) => {
  expect(parseSvrPredicate({ ...SVR, ...change })).toMatchObject({
    error: { code: 'verify/vsa-rejected' },
  });
});

test.each([[null], [[]], ['PASSED'], [{}]])('%j is neither', (predicate) => {
  expect(parseVsaPredicate(predicate).ok).toBe(false);
  expect(parseSvrPredicate(predicate).ok).toBe(false);
});
