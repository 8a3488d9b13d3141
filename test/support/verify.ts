// Facts for the tests of judgement: one bundle that is good in every respect, and the means to spoil
// one respect at a time. Pure; test/support/signed-bundle.ts makes the same bundle as real bytes.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../../src/core/bundle.ts';
import { PREDICATE } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { PolicyIr } from '../../src/core/policy/ir.ts';
import type { Provenance } from '../../src/core/provenance.ts';
import type { VerificationSummary } from '../../src/core/summary.ts';
import type { Evidence, SignedFact } from '../../src/core/verify/evidence.ts';
import type { ScopePolicy, TrustedKey, TrustPolicy } from '../../src/core/verify/trust.ts';
import type { VerifyContext } from '../../src/core/verify/verdict.ts';
import type { BundleVersion } from '../../src/core/version.ts';

export const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
export const BUILDER = 'https://ci.example.com/builders/policies';
export const BUILD_TYPE = 'https://warder.dev/build-types/bundle/v1';

/** A digest whose digits all are one character. */
export function digestOf(character: string): Digest {
  return `sha256:${character.repeat(64)}` as Digest;
}

export const DIGEST = digestOf('d');
export const KEY_A = digestOf('a');
export const KEY_B = digestOf('b');

export const IR: PolicyIr = {
  irVersion: 1,
  rules: [
    {
      id: 'protect-credentials/shadow-write',
      mode: 'enforce',
      onMissingHook: 'refuse',
      reason: 'Account files change only through the password tools.',
      operations: ['write'],
      objects: [{ kind: 'path', path: '/etc/shadow' }],
      except: [],
      origin: { file: 'policies/credentials.yaml', line: 9, column: 7 },
    },
  ],
};

export function makeDescriptor(change: Partial<BundleDescriptor> = {}): BundleDescriptor {
  return {
    name: 'credentials',
    tenant: 'acme',
    channel: 'prod',
    repository: 'registry.example.com/policies/web',
    version: 7 as BundleVersion,
    previous: null,
    createdAt: '2026-02-01T00:00:00Z',
    notBefore: '2026-02-01T00:00:00Z',
    expires: '2026-05-01T00:00:00Z',
    minAgentVersion: '0.1.0',
    requires: { kernel: '6.1', hooks: [] },
    selectors: {},
    source: {
      repository: 'https://git.example.com/acme/policies',
      ref: 'refs/heads/main',
      commit: '0123456789abcdef0123456789abcdef01234567',
    },
    files: [],
    ...change,
  };
}

export function makeProvenance(change: Partial<Provenance> = {}): Provenance {
  const { repository, ref, commit } = makeDescriptor().source;
  return {
    buildType: BUILD_TYPE,
    builderId: BUILDER,
    config: 'warder.yaml',
    repository,
    ref,
    commit,
    workflow: null,
    repositoryId: null,
    ownerId: null,
    trigger: null,
    ...change,
  };
}

export function makeTrustedKey(id: string, fingerprint: Digest, pem = ''): TrustedKey {
  return {
    id,
    publicKeyPem: pem,
    fingerprint,
    notBefore: '2026-01-01T00:00:00.000Z',
    notAfter: '2027-01-01T00:00:00.000Z',
  };
}

export function makeScope(change: Partial<ScopePolicy> = {}): ScopePolicy {
  return {
    name: 'prod',
    scope: 'registry.example.com/policies',
    channels: ['prod'],
    tenant: 'acme',
    release: {
      minimumMatches: 1,
      allOf: [],
      anyOf: [makeTrustedKey('ci', KEY_A), makeTrustedKey('security', KEY_B)],
      identities: [],
      predicateTypes: [PREDICATE.release],
    },
    thresholds: { tlog: 1, ctlog: 1, timestamp: 1 },
    provenance: {
      builderIds: [BUILDER],
      buildTypes: [BUILD_TYPE],
      sourceRepositories: ['https://git.example.com/acme/policies'],
      signers: null,
    },
    verification: null,
    freshness: null,
    maxVersionStep: 100_000,
    ...change,
  };
}

export function makeTrust(change: Partial<TrustPolicy> = {}): TrustPolicy {
  return {
    version: 4,
    roots: null,
    breakGlass: null,
    force: false,
    policies: [makeScope()],
    trustedRoot: null,
    revoked: { digests: [], keys: [], identities: [] },
    onDistrustedLkg: 'keep-and-alert',
    fingerprint: digestOf('f'),
    ...change,
  };
}

export function releaseBy(key: Digest, change: Partial<SignedFact> = {}): SignedFact {
  return {
    kind: 'signed',
    predicateType: PREDICATE.release,
    subjects: [DIGEST],
    claim: { kind: 'release', descriptor: makeDescriptor() },
    keys: [key],
    ...change,
  };
}

export function provenanceBy(key: Digest, change: Partial<Provenance> = {}): SignedFact {
  return {
    kind: 'signed',
    predicateType: PREDICATE.provenance,
    subjects: [DIGEST],
    claim: { kind: 'provenance', provenance: makeProvenance(change) },
    keys: [key],
  };
}

export const VERIFIER = 'https://verifier.example.com/policies';
export const KEY_V = digestOf('9');

/** What a scope demands of a verifier. */
export function makeVerification(
  change: Partial<NonNullable<ScopePolicy['verification']>> = {},
): NonNullable<ScopePolicy['verification']> {
  return {
    verifier: VERIFIER,
    predicateTypes: [PREDICATE.vsa],
    levels: ['SLSA_BUILD_LEVEL_3'],
    maxAgeMs: 24 * 3_600_000,
    anyOf: [makeTrustedKey('verifier', KEY_V)],
    identities: [],
    ...change,
  };
}

export function summaryBy(key: Digest, change: Partial<VerificationSummary> = {}): SignedFact {
  const summary = {
    verifier: VERIFIER,
    verifiedAt: '2026-03-01T11:00:00Z',
    resource: `oci://${makeDescriptor().repository}@${DIGEST}`,
    passed: true,
    levels: ['SLSA_BUILD_LEVEL_3'],
    ...change,
  };
  return {
    kind: 'signed',
    predicateType: PREDICATE.vsa,
    subjects: [DIGEST],
    claim: { kind: 'summary', summary },
    keys: [key],
  };
}

export function makeEvidence(change: Partial<Evidence> = {}): Evidence {
  return {
    digest: DIGEST,
    descriptor: makeDescriptor(),
    ir: IR,
    attestations: [releaseBy(KEY_A), provenanceBy(KEY_A)],
    unread: [],
    ...change,
  };
}

/** Evidence whose descriptor says something else, signed by everybody who should. */
export function describedAs(change: Partial<BundleDescriptor>): Evidence {
  const descriptor = makeDescriptor(change);
  return makeEvidence({
    descriptor,
    attestations: [
      releaseBy(KEY_A, { claim: { kind: 'release', descriptor } }),
      provenanceBy(KEY_A),
    ],
  });
}

export function makeContext(change: Partial<VerifyContext> = {}): VerifyContext {
  return {
    nowMs: NOW_MS,
    floor: null,
    admitted: [],
    repository: 'registry.example.com/policies/web',
    channel: 'prod',
    agentVersion: '0.1.0',
    labels: {},
    head: null,
    host: { kernel: '6.1.0', hooks: ['file_open', 'sb_mount'] },
    purpose: 'admit',
    ...change,
  };
}
