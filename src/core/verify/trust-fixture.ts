// Fixtures of a trust policy: who signs what, and what must become of it. They are judged by the very code
// that hosts judge by, over facts that are made up here instead of verified.
//
// SPDX-License-Identifier: Apache-2.0

import { type BundleDescriptor, PREDICATE } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import { sequenceAt } from '../head.ts';
import { resourcesOf } from '../summary.ts';
import type { BundleVersion } from '../version.ts';
import type { CertificateClaims, SignedFact } from './evidence.ts';
import { demandsHead } from './head.ts';
import { judge } from './judge.ts';
import { selectScope } from './scope.ts';
import type { TrustedKey, TrustPolicy } from './trust.ts';

/** Somebody who signs in a fixture: a key by its id in the trust policy, or a certificate. */
export type FixtureSigner =
  | { readonly kind: 'key'; readonly id: string }
  | {
      readonly kind: 'identity';
      readonly issuer: string;
      readonly subject: string;
      readonly claims: CertificateClaims;
    };

/** One expectation. */
export interface TrustFixture {
  readonly name: string;
  readonly repository: string;
  readonly channel: string;
  readonly tenant: string;
  readonly signers: readonly FixtureSigner[];
  readonly source: { readonly repository: string; readonly ref: string; readonly commit: string };
  /** Null: no provenance is attached. */
  readonly builder: { readonly id: string; readonly buildType: string } | null;
  /** Null: no verification summary is attached. */
  readonly verification: {
    readonly signer: FixtureSigner;
    readonly verifier: string;
    readonly passed: boolean;
    readonly levels: readonly string[];
    readonly at: string;
  } | null;
  readonly at: string;
  readonly expect: 'admitted' | ErrorCode;
}

/** What came of it. */
export interface FixtureResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: TrustFixture['expect'];
  readonly outcome: readonly ErrorCode[];
}

const DIGEST = `sha256:${'0'.repeat(64)}` as Digest;
const UNKNOWN_KEY = `sha256:${'f'.repeat(64)}` as Digest;
const DAY_MS = 86_400_000;
const AGENT_VERSION = '0.0.0';

/** Judges one fixture. */
export function runFixture(fixture: TrustFixture, trust: TrustPolicy): FixtureResult {
  const nowMs = Date.parse(fixture.at);
  const descriptor = describe(fixture, nowMs);
  const { repository, channel, name } = fixture;
  const place = { repository, channel };
  const attestations = [
    ...fixture.signers.flatMap((it) => factsOf(it, fixture, descriptor, trust)),
    ...summariesOf(fixture, trust),
  ];
  const evidence = {
    digest: DIGEST,
    descriptor,
    ir: { irVersion: 1, rules: [] },
    attestations,
    unread: [],
  } as const;
  const verdict = judge(evidence, trust, {
    ...place,
    nowMs,
    floor: null,
    admitted: [],
    agentVersion: AGENT_VERSION,
    labels: {},
    // Freshness is a matter of time, not of who may sign: a good head is there.
    head: demandsHead(trust, place) === null ? null : headOf(descriptor, nowMs),
    purpose: 'admit',
  });
  const outcome = verdict.kind === 'accepted' ? [] : verdict.failures.map((it) => it.code);
  const { expect: expected } = fixture;
  const passed = expected === 'admitted' ? outcome.length === 0 : outcome.includes(expected);
  return { name, passed, expected, outcome };
}

function describe(fixture: TrustFixture, nowMs: number): BundleDescriptor {
  const { repository, channel, tenant, source } = fixture;
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    name: 'fixture',
    ...{ tenant, channel, repository, source },
    version: 1 as BundleVersion,
    previous: null,
    createdAt: at(nowMs - DAY_MS),
    notBefore: at(nowMs - DAY_MS),
    expires: at(nowMs + DAY_MS),
    minAgentVersion: AGENT_VERSION,
    requires: { kernel: '6.1', hooks: [] },
    selectors: {},
    files: [],
  };
}

function headOf({ repository, channel, version }: BundleDescriptor, nowMs: number) {
  const issuedAt = new Date(nowMs).toISOString();
  const expires = new Date(nowMs + DAY_MS).toISOString();
  return {
    ...{ repository, channel, version, issuedAt, expires },
    digest: DIGEST,
    sequence: sequenceAt(nowMs),
  };
}

function factsOf(
  signer: FixtureSigner,
  fixture: TrustFixture,
  descriptor: BundleDescriptor,
  trust: TrustPolicy,
): readonly SignedFact[] {
  const by = signedBy(signer, trust);
  const about = { kind: 'signed', subjects: [DIGEST], ...by } as const;
  const release: SignedFact = {
    ...about,
    predicateType: PREDICATE.release,
    claim: { kind: 'release', descriptor },
  };
  if (fixture.builder === null) return [release];
  const { id: builderId, buildType } = fixture.builder;
  const { repository, ref, commit } = fixture.source;
  const claims = signer.kind === 'identity' ? signer.claims : null;
  const provenance: SignedFact = {
    ...about,
    predicateType: PREDICATE.provenance,
    claim: {
      kind: 'provenance',
      provenance: {
        ...{ buildType, builderId, repository, ref, commit, config: 'warder.yaml', workflow: null },
        repositoryId: claims?.repositoryId ?? null,
        ownerId: claims?.ownerId ?? null,
        trigger: claims?.trigger ?? null,
      },
    },
  };
  return [release, provenance];
}

// Of the type that the scope asks for, about the bundle and its place: who says what when is in question.
function summariesOf(
  { verification, repository, channel }: TrustFixture,
  trust: TrustPolicy,
): readonly SignedFact[] {
  if (verification === null) return [];
  const { signer, verifier, passed, levels, at: verifiedAt } = verification;
  const scope = selectScope(trust, { repository, channel });
  const predicateType = scope?.verification?.predicateTypes[0] ?? PREDICATE.vsa;
  const resource = resourcesOf(repository, DIGEST)[0] ?? null;
  const summary = { verifier, verifiedAt, resource, passed, levels };
  const claim = { kind: 'summary', summary } as const;
  return [{ kind: 'signed', predicateType, subjects: [DIGEST], claim, ...signedBy(signer, trust) }];
}

function signedBy(
  signer: FixtureSigner,
  trust: TrustPolicy,
): Pick<SignedFact, 'keys' | 'certificate'> {
  if (signer.kind === 'key') {
    const keys: readonly TrustedKey[] = trust.policies.flatMap((it) => [
      ...it.release.anyOf,
      ...(it.verification?.anyOf ?? []),
      ...(it.freshness?.anyOf ?? []),
    ]);
    return { keys: [keys.find((it) => it.id === signer.id)?.fingerprint ?? UNKNOWN_KEY] };
  }
  const { issuer, subject, claims } = signer;
  // As many proofs as anybody could demand: thresholds are about logs, not about who signs.
  const proofs = { logs: 8, certificateLogs: 8, timestamps: 8 };
  return {
    keys: [],
    certificate: { fingerprint: UNKNOWN_KEY, issuer, subject, claims, ...proofs },
  };
}
