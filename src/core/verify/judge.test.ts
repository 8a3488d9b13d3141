// The verdict, one respect at a time: each row spoils one thing of a good bundle. The ids are those of
// the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest';
import {
  DIGEST,
  describedAs,
  digestOf,
  IR,
  KEY_A,
  KEY_B,
  makeContext,
  makeDescriptor,
  makeEvidence,
  makeScope,
  makeTrust,
  makeTrustedKey,
  NOW_MS,
  provenanceBy,
  releaseBy,
} from '../../../test/support/verify.ts';
import { PREDICATE } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import { failure } from '../result.ts';
import type { BundleVersion } from '../version.ts';
import { CHECKS } from './check.ts';
import type { AttestationFact, Evidence, SignedFact } from './evidence.ts';
import { judge } from './judge.ts';
import { isUnbound } from './provenance.ts';
import type { ScopePolicy, TrustedIdentity, TrustPolicy } from './trust.ts';
import type { VerifyContext } from './verdict.ts';

interface Case {
  readonly name: string;
  readonly evidence?: Evidence;
  readonly trust?: TrustPolicy;
  readonly context?: Partial<VerifyContext>;
  /** Codes in order; none means accepted. */
  readonly codes: readonly ErrorCode[];
}

function judgeCase(it: Omit<Case, 'name' | 'codes'>) {
  return judge(it.evidence ?? makeEvidence(), it.trust ?? makeTrust(), makeContext(it.context));
}

function codesOf(it: Omit<Case, 'name' | 'codes'>): readonly ErrorCode[] {
  const verdict = judgeCase(it);
  return verdict.kind === 'accepted' ? [] : verdict.failures.map((failed) => failed.code);
}

function check(cases: readonly Case[]): void {
  test.each(cases)('$name', (it) => {
    expect(codesOf(it)).toEqual(it.codes);
  });
}

const withRelease = (change: Partial<ScopePolicy['release']>, more: Partial<TrustPolicy> = {}) =>
  makeTrust({
    policies: [makeScope({ release: { ...makeScope().release, ...change } })],
    ...more,
  });
const attested = (...attestations: AttestationFact[]) => makeEvidence({ attestations });
const floorAt = (version: number, digest: Digest = digestOf('e')) => ({
  floor: { highestSeen: version as BundleVersion, digest },
});
const unusable = (code: ErrorCode): AttestationFact => ({
  kind: 'unusable',
  failure: failure(code, 'spoiled'),
});
const bareBy = (key: Digest): SignedFact =>
  releaseBy(key, { predicateType: PREDICATE.cosignSign, claim: { kind: 'bare' } });
const other = (predicateType: string): SignedFact =>
  releaseBy(KEY_A, { predicateType, claim: { kind: 'other' } });

describe('a good bundle', () => {
  test('is accepted with every check made, and the signers that counted', () => {
    const verdict = judgeCase({});
    expect(verdict.checks.map((it) => it.check)).toEqual(
      CHECKS.filter((it) => it !== 'verification'),
    );
    expect(verdict.checks.every((it) => it.outcome === 'passed')).toBe(true);
    expect(verdict).toMatchObject({
      kind: 'accepted',
      admission: {
        digest: DIGEST,
        signers: [{ id: 'ci', kind: 'key', fingerprint: KEY_A }],
        trustFingerprint: digestOf('f'),
        verifiedAt: '2026-03-01T12:00:00.000Z',
      },
    });
  });
});

describe('scope', () => {
  const narrow = makeScope({
    name: 'web',
    scope: 'registry.example.com/policies/web',
    channels: ['staging'],
  });
  check([
    {
      name: 'no scope that covers the repository means deny, and what needs one is not run',
      trust: makeTrust({ policies: [makeScope({ scope: 'registry.example.com/other' })] }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'a prefix counts by whole segments: polic does not cover policies',
      trust: makeTrust({ policies: [makeScope({ scope: 'registry.example.com/polic' })] }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'the host itself may be the scope',
      trust: makeTrust({ policies: [makeScope({ scope: 'registry.example.com' })] }),
      codes: [],
    },
    {
      name: 'a narrower scope without the channel is not widened by a shorter one with it',
      trust: makeTrust({ policies: [makeScope(), narrow] }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'two policies of one scope speak for their own channels',
      trust: makeTrust({
        policies: [{ ...narrow, name: 'stage', scope: makeScope().scope }, makeScope()],
      }),
      codes: [],
    },
    {
      name: 'V07 a bundle for channel staging on prod is refused',
      evidence: describedAs({ channel: 'staging' }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'V07 a bundle of another repository is refused',
      evidence: describedAs({ repository: 'registry.example.com/policies/db' }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'V07 a bundle of another tenant is refused',
      evidence: describedAs({ tenant: 'evil' }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'V07 a bundle for hosts with another label is refused',
      evidence: describedAs({ selectors: { site: 'ams' } }),
      context: { labels: { site: 'fra' } },
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'V07 a selector for a label that only objects inherit is refused',
      evidence: describedAs({ selectors: { toString: 'x' } }),
      codes: ['verify/scope-mismatch'],
    },
    {
      name: 'a bundle whose selectors all hold is accepted',
      evidence: describedAs({ selectors: { site: 'ams' } }),
      context: { labels: { site: 'ams', rack: '1' } },
      codes: [],
    },
  ]);
  test('a check that could not be made is in the record as not-run', () => {
    const verdict = judgeCase({ context: { repository: 'other.example.com/p' } });
    const notRun = verdict.checks.filter((it) => it.outcome === 'not-run').map((it) => it.check);
    expect(notRun).toEqual(['release', 'provenance', 'head']);
    expect(verdict.kind).toBe('refused');
  });
});

describe('revocation and keys', () => {
  const window = (notBefore: string, notAfter: string) =>
    withRelease({ anyOf: [{ ...makeTrustedKey('ci', KEY_A), notBefore, notAfter }] });
  const twice: readonly ErrorCode[] = ['verify/threshold-not-met', 'verify/provenance-missing'];
  check([
    {
      name: 'a revoked digest is refused',
      trust: makeTrust({ revoked: { digests: [DIGEST], keys: [], identities: [] } }),
      codes: ['verify/digest-revoked'],
    },
    {
      name: 'a revoked digest is refused in a replay too',
      trust: makeTrust({ revoked: { digests: [DIGEST], keys: [], identities: [] } }),
      context: { purpose: 'replay', admitted: [DIGEST] },
      codes: ['verify/digest-revoked'],
    },
    {
      name: 'S20 a revoked key does not count although it is listed',
      trust: makeTrust({ revoked: { digests: [], keys: [KEY_A], identities: [] } }),
      codes: ['verify/key-revoked', ...twice],
    },
    {
      name: 'S20 a key after its window does not count',
      trust: window('2026-01-01T00:00:00.000Z', '2026-03-01T12:00:00.000Z'),
      codes: ['verify/key-expired', ...twice],
    },
    {
      name: 'S20 a key before its window does not count',
      trust: window('2026-03-01T12:00:00.001Z', '2027-01-01T00:00:00.000Z'),
      codes: ['verify/key-expired', ...twice],
    },
    {
      name: 'a key counts from the first moment of its window',
      trust: window('2026-03-01T12:00:00.000Z', '2027-01-01T00:00:00.000Z'),
      codes: [],
    },
    {
      name: 'a window that is not a time does not count',
      trust: window('yesterday', 'tomorrow'),
      codes: ['verify/key-expired', ...twice],
    },
    {
      name: 'a replay ignores the end of a window, because what was admitted stays admitted',
      trust: window('2025-01-01T00:00:00.000Z', '2026-02-15T00:00:00.000Z'),
      context: { purpose: 'replay', admitted: [DIGEST] },
      codes: [],
    },
    {
      name: 'S19 a key of another scope is unknown here',
      evidence: attested(releaseBy(KEY_A), provenanceBy(KEY_A)),
      trust: makeTrust({
        policies: [
          makeScope({
            release: { ...makeScope().release, anyOf: [makeTrustedKey('b', KEY_B)] },
          }),
          makeScope({ name: 'other', scope: 'other.example.com/p', tenant: null }),
        ],
      }),
      codes: ['verify/key-unknown', ...twice],
    },
  ]);
});

describe('release', () => {
  check([
    {
      name: 'X01 a bundle without attestations is refused',
      evidence: attested(),
      codes: ['verify/no-attestations', 'verify/provenance-missing'],
    },
    {
      name: 'P14 what could not be read is not absent',
      evidence: makeEvidence({ attestations: [], unread: [failure('fetch/timeout', 'late')] }),
      codes: ['fetch/timeout', 'verify/threshold-not-met', 'verify/provenance-missing'],
    },
    {
      name: 'F09 the needed attestation could not be read, another one is there',
      evidence: makeEvidence({
        attestations: [provenanceBy(KEY_A)],
        unread: [failure('fetch/registry-unavailable', '500')],
      }),
      codes: ['fetch/attestation-unavailable', 'verify/predicate-type', 'verify/threshold-not-met'],
    },
    {
      name: 'F09 one that is not needed could not be read',
      evidence: makeEvidence({ unread: [failure('fetch/registry-unavailable', '500')] }),
      codes: [],
    },
    {
      name: 'F10 attestations that were there and are hidden now are a refusal',
      evidence: attested(provenanceBy(KEY_A)),
      codes: ['verify/predicate-type', 'verify/threshold-not-met'],
    },
    {
      name: 'F02 a release about another digest is refused',
      evidence: attested(releaseBy(KEY_A, { subjects: [digestOf('e')] }), provenanceBy(KEY_A)),
      codes: ['verify/subject-mismatch', 'verify/threshold-not-met'],
    },
    {
      name: 'P02 a statement without subjects is refused',
      evidence: attested(releaseBy(KEY_A, { subjects: [] }), provenanceBy(KEY_A)),
      codes: ['verify/subject-mismatch', 'verify/threshold-not-met'],
    },
    {
      name: 'P02 the bundle may be the second subject',
      evidence: attested(
        releaseBy(KEY_A, { subjects: [digestOf('e'), DIGEST] }),
        provenanceBy(KEY_A),
      ),
      codes: [],
    },
    {
      name: 'P03 an SBOM is no release',
      evidence: attested(other('https://spdx.dev/Document'), provenanceBy(KEY_A)),
      codes: ['verify/predicate-type', 'verify/threshold-not-met'],
    },
    {
      name: 'a release that says another version than the descriptor is refused',
      evidence: attested(
        releaseBy(KEY_A, {
          claim: {
            kind: 'release',
            descriptor: makeDescriptor({ version: 8 as BundleVersion }),
          },
        }),
        provenanceBy(KEY_A),
      ),
      codes: ['verify/release-mismatch', 'verify/threshold-not-met'],
    },
    {
      name: 'I10 two statements by one key count once',
      evidence: attested(releaseBy(KEY_A), releaseBy(KEY_A), provenanceBy(KEY_A)),
      trust: withRelease({ minimumMatches: 2 }),
      codes: ['verify/threshold-not-met'],
    },
    {
      name: 'I10 nobody stands in for a signer of allOf, and no number of others',
      evidence: attested(releaseBy(KEY_A), releaseBy(KEY_A), provenanceBy(KEY_A)),
      trust: withRelease({ allOf: ['security'] }),
      codes: ['verify/threshold-not-met'],
    },
    {
      name: 'a signer of allOf counts towards the threshold, and alone is not two',
      evidence: attested(releaseBy(KEY_B), provenanceBy(KEY_B)),
      trust: withRelease({ minimumMatches: 2, allOf: ['security'] }),
      codes: ['verify/threshold-not-met'],
    },
    {
      name: 'a signer of allOf and another one meet a threshold of two',
      evidence: attested(releaseBy(KEY_A), releaseBy(KEY_B), provenanceBy(KEY_A)),
      trust: withRelease({ minimumMatches: 2, allOf: ['security'] }),
      codes: [],
    },
    {
      name: 'a signer of allOf who signed provenance alone has not signed the release',
      evidence: attested(releaseBy(KEY_A), provenanceBy(KEY_B)),
      trust: withRelease({ allOf: ['security'] }),
      codes: ['verify/threshold-not-met'],
    },
    {
      name: 'a signer of allOf who is revoked ends every release',
      evidence: attested(releaseBy(KEY_A), releaseBy(KEY_B), provenanceBy(KEY_A)),
      trust: withRelease(
        { allOf: ['security'] },
        { revoked: { digests: [], keys: [KEY_B], identities: [] } },
      ),
      codes: ['verify/key-revoked', 'verify/threshold-not-met'],
    },
    {
      name: 'two keys meet a threshold of two',
      evidence: attested(releaseBy(KEY_B), releaseBy(KEY_A), provenanceBy(KEY_A)),
      trust: withRelease({ minimumMatches: 2 }),
      codes: [],
    },
    {
      name: 'an unusable attestation beside a good one is skipped',
      evidence: attested(unusable('verify/signature-invalid'), ...makeEvidence().attestations),
      codes: [],
    },
    {
      name: 'S05 the reason of an unusable attestation leads when nothing else is there',
      evidence: attested(unusable('verify/signature-invalid')),
      codes: ['verify/signature-invalid', 'verify/threshold-not-met', 'verify/provenance-missing'],
    },
    {
      name: 'what cosign sign wrote is no release when the trust policy does not list it',
      evidence: attested(bareBy(KEY_A), provenanceBy(KEY_A)),
      codes: ['verify/predicate-type', 'verify/threshold-not-met'],
    },
    {
      name: 'what cosign sign wrote is a release when the trust policy lists it',
      evidence: attested(bareBy(KEY_A), provenanceBy(KEY_A)),
      trust: withRelease({ predicateTypes: [PREDICATE.cosignSign] }),
      codes: [],
    },
    {
      name: 'V20 a release whose predicate is no descriptor is refused',
      evidence: attested(
        releaseBy(KEY_A, {
          claim: { kind: 'malformed', failure: failure('verify/statement-invalid', 'x') },
        }),
        provenanceBy(KEY_A),
      ),
      codes: ['verify/statement-invalid', 'verify/threshold-not-met'],
    },
  ]);

  test.each(Object.keys(makeDescriptor()))('a release that differs in %s is refused', (field) => {
    const descriptor = { ...makeDescriptor(), [field]: 'something else' };
    const release = releaseBy(KEY_A, { claim: { kind: 'release', descriptor } });
    expect(codesOf({ evidence: attested(release, provenanceBy(KEY_A)) })).toEqual([
      'verify/release-mismatch',
      'verify/threshold-not-met',
    ]);
  });
});

test('a policy leaves its builders open only where several can sign and none is named', () => {
  const { release, provenance } = makeScope();
  const one = { ...release, anyOf: release.anyOf.slice(1) };
  expect(isUnbound(makeScope())).toBe(true);
  expect(isUnbound(makeScope({ release: one }))).toBe(false);
  expect(isUnbound(makeScope({ provenance: null }))).toBe(false);
  const bound = provenance === null ? null : { ...provenance, signers: ['ci', 'security'] };
  expect(isUnbound(makeScope({ provenance: bound }))).toBe(false);
});

describe('provenance', () => {
  const built = (change: Parameters<typeof provenanceBy>[1]) =>
    attested(releaseBy(KEY_A), provenanceBy(KEY_A, change));
  const missing: ErrorCode = 'verify/provenance-missing';
  const RUNNER = 'https://github.com/actions/runner/github-hosted';
  const IDENTITY: TrustedIdentity = {
    ...{ id: 'workflow', issuer: 'https://token.actions.githubusercontent.com' },
    subject: 'https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v1',
    ...{ repositoryId: null, ownerId: null, runner: null, workflow: null, triggers: null },
  };
  const boundTo = (
    signers: readonly string[] | null,
    identities: readonly TrustedIdentity[] = [],
  ) => {
    const { release, provenance } = makeScope();
    if (provenance === null) throw new Error('provenance is demanded');
    const builderIds = [...provenance.builderIds, RUNNER];
    return makeTrust({
      policies: [
        makeScope({
          release: { ...release, identities },
          provenance: { ...provenance, builderIds, signers },
        }),
      ],
    });
  };
  check([
    {
      name: 'none where one is demanded is refused',
      evidence: attested(releaseBy(KEY_A)),
      codes: [missing],
    },
    {
      name: 'none is fine where none is demanded',
      evidence: attested(releaseBy(KEY_A)),
      trust: makeTrust({ policies: [makeScope({ provenance: null })] }),
      codes: [],
    },
    {
      name: 'P05 SLSA v0.2 is not v1',
      evidence: attested(releaseBy(KEY_A), other('https://slsa.dev/provenance/v0.2')),
      codes: ['verify/predicate-type', missing],
    },
    {
      name: 'P06 a builder whose name begins like a trusted one is another',
      evidence: built({ builderId: 'https://ci.example.com/builders/policies-evil' }),
      codes: ['verify/builder-mismatch', missing],
    },
    {
      name: 'P06 a trusted builder id under an untrusted key is refused',
      evidence: attested(releaseBy(KEY_A), provenanceBy(digestOf('c'))),
      codes: ['verify/key-unknown', missing],
    },
    {
      name: 'P06 a trusted builder by the word of a signer who does not build is refused',
      evidence: attested(releaseBy(KEY_A), provenanceBy(KEY_B)),
      trust: boundTo(['ci']),
      codes: ['verify/builder-mismatch', missing],
    },
    {
      name: 'P06 a runner by the word of a key is refused where the scope lists identities',
      evidence: built({ builderId: RUNNER }),
      trust: boundTo(null, [IDENTITY]),
      codes: ['verify/builder-mismatch', missing],
    },
    {
      name: 'a runner by the word of a key is believed where the scope lists keys alone',
      evidence: built({ builderId: RUNNER }),
      trust: boundTo(null),
      codes: [],
    },
    {
      name: 'another builder by the word of a key is believed where the scope lists identities',
      evidence: built({}),
      trust: boundTo(null, [IDENTITY]),
      codes: [],
    },
    {
      name: 'a runner by the word of a key that is named is believed',
      evidence: built({ builderId: RUNNER }),
      trust: boundTo(['ci'], [IDENTITY]),
      codes: [],
    },
    {
      name: 'P07 an unknown build type is refused',
      evidence: built({ buildType: 'https://example.com/other' }),
      codes: ['verify/build-type', missing],
    },
    {
      name: 'P08 a source repository that is not allowed is refused, and that it differs is told',
      evidence: built({ repository: 'https://git.example.com/evil/policies' }),
      codes: ['verify/provenance-inconsistent', 'verify/provenance-inconsistent', missing],
    },
    {
      name: 'P08 another commit than the descriptor names is refused',
      evidence: built({ commit: 'f'.repeat(40) }),
      codes: ['verify/provenance-inconsistent', missing],
    },
    {
      name: 'P08 another ref than the descriptor names is refused',
      evidence: built({ ref: 'refs/heads/evil' }),
      codes: ['verify/provenance-inconsistent', missing],
    },
    {
      name: 'P09 an unknown external parameter is refused',
      evidence: attested(releaseBy(KEY_A), {
        ...provenanceBy(KEY_A),
        claim: { kind: 'malformed', failure: failure('verify/external-parameters', 'x') },
      }),
      codes: ['verify/external-parameters', missing],
    },
    {
      name: 'P11 provenance of another artefact of the same build is refused',
      evidence: attested(releaseBy(KEY_A), { ...provenanceBy(KEY_A), subjects: [digestOf('e')] }),
      codes: ['verify/subject-mismatch', missing],
    },
    {
      name: 'one good provenance beside a bad one is enough',
      evidence: attested(
        releaseBy(KEY_A),
        provenanceBy(KEY_A, { builderId: 'https://evil.example.com' }),
        provenanceBy(KEY_B),
      ),
      codes: [],
    },
    {
      name: 'two halves are not one whole',
      evidence: attested(
        releaseBy(KEY_A),
        provenanceBy(KEY_A, { builderId: 'https://evil.example.com' }),
        provenanceBy(KEY_A, { buildType: 'https://evil.example.com' }),
      ),
      codes: ['verify/builder-mismatch', 'verify/build-type', missing],
    },
  ]);
});

describe('time', () => {
  check([
    {
      name: 'V08 an expired bundle is refused',
      context: { nowMs: Date.parse('2026-05-01T00:00:00Z') },
      codes: ['verify/expired'],
    },
    {
      name: 'a bundle is good until the moment it expires',
      context: { nowMs: Date.parse('2026-05-01T00:00:00Z') - 1 },
      codes: [],
    },
    {
      name: 'V08 an expired bundle that was admitted stays',
      context: {
        nowMs: Date.parse('2026-06-01T00:00:00Z'),
        purpose: 'replay',
        admitted: [DIGEST],
      },
      codes: [],
    },
    {
      name: 'V09 a bundle from the future beyond skew is refused',
      evidence: describedAs({ notBefore: '2026-03-01T12:05:01Z' }),
      codes: ['verify/not-yet-valid'],
    },
    {
      name: 'V09 a bundle from the future within skew is accepted',
      evidence: describedAs({ notBefore: '2026-03-01T12:05:00Z' }),
      codes: [],
    },
    {
      name: 'times that are no times refuse',
      evidence: describedAs({ notBefore: 'never', expires: 'never' }),
      codes: ['verify/not-yet-valid', 'verify/expired'],
    },
  ]);
});

describe('version floor', () => {
  check([
    { name: 'above the floor is accepted', context: floorAt(6), codes: [] },
    { name: 'V01 below the floor is rollback', context: floorAt(8), codes: ['verify/rollback'] },
    {
      name: 'V01 below the floor is rollback although the digest was admitted here',
      context: { ...floorAt(8), admitted: [DIGEST] },
      codes: ['verify/rollback'],
    },
    {
      name: 'V02 another digest on the floor is equivocation',
      context: floorAt(7),
      codes: ['verify/equivocation'],
    },
    { name: 'V03 the floor itself is fine', context: floorAt(7, DIGEST), codes: [] },
    {
      name: 'a replay may return below the floor to what was admitted here',
      context: { ...floorAt(8), admitted: [DIGEST], purpose: 'replay' },
      codes: [],
    },
    {
      name: 'a replay of what was never admitted here is refused',
      context: { ...floorAt(6), admitted: [digestOf('1')], purpose: 'replay' },
      codes: ['verify/not-admitted'],
    },
  ]);
});

describe('this Warder and the baseline', () => {
  test('of no host, nothing is asked about the host', () => {
    const { host: _host, ...context } = makeContext();
    const evidence = describedAs({ requires: { kernel: '9.0', hooks: ['inode_link'] } });
    const verdict = judge(evidence, makeTrust(), context);
    expect(verdict.kind).toBe('accepted');
    expect(verdict.checks.map((it) => it.check)).toEqual(
      CHECKS.filter((it) => it !== 'host' && it !== 'verification'),
    );
  });

  check([
    {
      name: 'V19 a bundle that needs a newer Warder is refused',
      evidence: describedAs({ minAgentVersion: '0.1.1' }),
      codes: ['verify/incompatible'],
    },
    {
      name: 'versions are compared as numbers',
      evidence: describedAs({ minAgentVersion: '0.9.0' }),
      context: { agentVersion: '0.10.0' },
      codes: [],
    },
    {
      name: 'a Warder that does not know its own version refuses',
      context: { agentVersion: 'dev' },
      codes: ['verify/incompatible'],
    },
    {
      name: 'a bundle that needs a newer kernel is refused',
      evidence: describedAs({ requires: { kernel: '6.2', hooks: [] } }),
      codes: ['verify/incompatible'],
    },
    {
      name: 'kernels are compared as numbers',
      evidence: describedAs({ requires: { kernel: '6.9', hooks: [] } }),
      context: { host: { kernel: '6.12.48+deb13-amd64', hooks: [] } },
      codes: [],
    },
    {
      name: 'a kernel that cannot be read is older than any',
      context: { host: { kernel: 'unknown', hooks: [] } },
      codes: ['verify/incompatible'],
    },
    {
      name: 'a bundle whose hooks are here is accepted',
      evidence: describedAs({ requires: { kernel: '6.1', hooks: ['file_open', 'sb_mount'] } }),
      codes: [],
    },
    {
      name: 'a bundle that needs a hook that is not here is refused',
      evidence: describedAs({ requires: { kernel: '6.1', hooks: ['file_open', 'inode_link'] } }),
      codes: ['verify/incompatible'],
    },
    {
      name: 'what was admitted before stays on a host that has less',
      evidence: describedAs({ requires: { kernel: '6.12', hooks: ['inode_link'] } }),
      context: { purpose: 'replay', admitted: [DIGEST] },
      codes: [],
    },
    {
      name: 'C04 a bundle that defines a rule of the baseline is refused',
      evidence: makeEvidence({
        ir: { ...IR, rules: IR.rules.map((it) => ({ ...it, id: 'warder-baseline/canary' })) },
      }),
      codes: ['verify/baseline-violation'],
    },
  ]);
});

test('all reasons are collected, in the order of the checks', () => {
  const descriptor = makeDescriptor({ channel: 'staging', minAgentVersion: '9.0.0' });
  const evidence = makeEvidence({ descriptor, attestations: [unusable('verify/bundle-version')] });
  const context = { ...floorAt(9), nowMs: NOW_MS + 365 * 24 * 3_600_000 };
  expect(codesOf({ evidence, context })).toEqual([
    'verify/bundle-version',
    'verify/threshold-not-met',
    'verify/provenance-missing',
    'verify/scope-mismatch',
    'verify/expired',
    'verify/rollback',
    'verify/incompatible',
  ]);
});
