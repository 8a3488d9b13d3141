// What holds for every set of attestations, every floor and every time.
//
// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DIGEST,
  digestOf,
  KEY_A,
  KEY_B,
  KEY_V,
  makeContext,
  makeDescriptor,
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
import type { BundleVersion } from '../version.ts';
import type { AttestationFact, SignedFact } from './evidence.ts';
import { judge } from './judge.ts';

const key = fc.constantFrom(KEY_A, KEY_B, digestOf('c'));
const subjects = fc.constantFrom([DIGEST], [digestOf('e')], [digestOf('e'), DIGEST], []);
const release = fc.record({ key, subjects, same: fc.boolean() }).map(
  (it): SignedFact =>
    releaseBy(it.key, {
      subjects: it.subjects,
      claim: {
        kind: 'release',
        descriptor: makeDescriptor(it.same ? {} : { tenant: 'evil' }),
      },
    }),
);
const provenance = fc
  .record({ key, subjects, builderId: fc.constantFrom(undefined, 'https://evil.example.com') })
  .map((it): SignedFact => {
    const change = it.builderId === undefined ? {} : { builderId: it.builderId };
    return { ...provenanceBy(it.key, change), subjects: it.subjects };
  });
const bare = key.map(
  (it): SignedFact =>
    releaseBy(it, { predicateType: PREDICATE.cosignSign, claim: { kind: 'bare' } }),
);
const unusable = fc
  .constantFrom('verify/signature-invalid', 'verify/bundle-invalid')
  .map((code): AttestationFact => ({ kind: 'unusable', failure: failure(code, 'spoiled') }));
const summary = fc
  .record({
    key: fc.constantFrom(KEY_A, KEY_V),
    subjects,
    change: fc.constantFrom(
      {},
      { passed: false },
      { levels: ['REVIEWED'] },
      { verifiedAt: 'soon' },
    ),
  })
  .map((it): SignedFact => ({ ...summaryBy(it.key, it.change), subjects: it.subjects }));
const junk = fc.array(fc.oneof(release, provenance, bare, summary, unusable), { maxLength: 4 });
// Without the good ones hardly any case would be accepted.
const whole = [releaseBy(KEY_A), releaseBy(KEY_B), provenanceBy(KEY_A), summaryBy(KEY_V)];
const attestations = fc
  .tuple(fc.subarray<AttestationFact>(whole), junk)
  .map(([good, others]) => [...others, ...good]);
const trust = fc
  .record({
    minimumMatches: fc.constantFrom(1, 2),
    allOf: fc.subarray(['ci', 'security']),
    provenance: fc.boolean(),
    cosign: fc.boolean(),
    verified: fc.boolean(),
  })
  .map((it) => {
    const scope = makeScope();
    const types = it.cosign ? [PREDICATE.release, PREDICATE.cosignSign] : [PREDICATE.release];
    return makeTrust({
      policies: [
        {
          ...scope,
          release: {
            ...scope.release,
            minimumMatches: Math.max(it.minimumMatches, it.allOf.length),
            allOf: it.allOf,
            predicateTypes: types,
          },
          provenance: it.provenance ? scope.provenance : null,
          verification: it.verified ? makeVerification() : null,
        },
      ],
    });
  });

const kindOf = (list: readonly AttestationFact[], by: ReturnType<typeof makeTrust>) =>
  judge(makeEvidence({ attestations: list }), by, makeContext()).kind;

test('both verdicts occur among the generated cases', () => {
  const cases = fc.sample(fc.tuple(attestations, trust), 500);
  const kinds = new Set(cases.map(([list, by]) => kindOf(list, by)));
  expect([...kinds].sort()).toEqual(['accepted', 'refused']);
});

test('a verification is among the reasons of both', () => {
  const asking = trust.map((by) => ({
    ...by,
    policies: by.policies.map((it) => ({ ...it, verification: makeVerification() })),
  }));
  const cases = fc.sample(fc.tuple(attestations, asking), 1000);
  const kinds = new Set(cases.map(([list, by]) => kindOf(list, by)));
  expect([...kinds].sort()).toEqual(['accepted', 'refused']);
});

test('removing an attestation never turns a refusal into an acceptance', () => {
  fc.assert(
    fc.property(attestations, trust, fc.nat(), (list, by, at) => {
      if (kindOf(list, by) === 'accepted' || list.length === 0) return;
      const fewer = list.filter((_, index) => index !== at % list.length);
      expect(kindOf(fewer, by)).toBe('refused');
    }),
    { numRuns: 1000 },
  );
});

test('the order of the attestations does not change the verdict or its signers', () => {
  fc.assert(
    fc.property(
      attestations.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      trust,
      ([list, shuffled], by) => {
        const [one, two] = [list, shuffled].map((it) => {
          const verdict = judge(makeEvidence({ attestations: it }), by, makeContext());
          return verdict.kind === 'accepted'
            ? verdict.admission.signers
            : verdict.failures.map((failed) => failed.code).sort();
        });
        expect(one).toEqual(two);
      },
    ),
    { numRuns: 1000 },
  );
});

test('an accepted bundle has enough distinct, listed, unrevoked signers', () => {
  fc.assert(
    fc.property(attestations, trust, fc.subarray([KEY_A, KEY_B]), (list, by, keys) => {
      const revoking = { ...by, revoked: { digests: [], keys, identities: [] } };
      const verdict = judge(makeEvidence({ attestations: list }), revoking, makeContext());
      if (verdict.kind === 'refused') return;
      const signers = new Set(verdict.admission.signers.map((it) => it.fingerprint));
      const scope = by.policies[0];
      expect(signers.size).toBeGreaterThanOrEqual(scope?.release.minimumMatches ?? 99);
      for (const it of signers) expect(keys).not.toContain(it);
      const ids = verdict.admission.signers.map((it) => it.id);
      expect(ids).toEqual(expect.arrayContaining([...(scope?.release.allOf ?? ['nobody'])]));
    }),
    { numRuns: 1000 },
  );
});

test('the floor never lets a lower version in, nor another digest of the same', () => {
  const version = fc.integer({ min: 1, max: 20 }).map((it) => it as BundleVersion);
  fc.assert(
    fc.property(version, version, fc.boolean(), fc.boolean(), (offered, floor, same, admitted) => {
      const descriptor = makeDescriptor({ version: offered });
      const evidence = makeEvidence({
        descriptor,
        attestations: [
          releaseBy(KEY_A, { claim: { kind: 'release', descriptor } }),
          provenanceBy(KEY_A),
        ],
      });
      const context = makeContext({
        floor: { highestSeen: floor, digest: same ? DIGEST : digestOf('e') },
        admitted: admitted ? [DIGEST] : [],
      });
      const accepted = judge(evidence, makeTrust(), context).kind === 'accepted';
      expect(accepted).toBe(offered > floor || (offered === floor && same));
    }),
  );
});

test('a bundle is accepted exactly inside its window and that of its key', () => {
  const { notBefore, expires } = makeDescriptor();
  const day = 24 * 3_600_000;
  fc.assert(
    fc.property(fc.integer({ min: NOW_MS - 100 * day, max: NOW_MS + 100 * day }), (nowMs) => {
      const inside = nowMs + 5 * 60_000 >= Date.parse(notBefore) && nowMs < Date.parse(expires);
      const verdict = judge(makeEvidence(), makeTrust(), makeContext({ nowMs }));
      expect(verdict.kind === 'accepted').toBe(inside);
    }),
  );
});
