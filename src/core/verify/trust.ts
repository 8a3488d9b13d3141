// The trust policy after parsing: who may say what, for which repositories and channels. Read and
// checked for vacuity in wire/trust.ts; judged in judge.ts.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';

/** A public key that may sign, inside its window. */
export interface TrustedKey {
  readonly id: string;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKeyPem: string;
  /** SHA-256 over the DER SubjectPublicKeyInfo. */
  readonly fingerprint: Digest;
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Somebody who proves by a certificate that an issuer knows them. Everything that is not null must be in
 * the certificate exactly; only `subject` may end in one `*`, which never matches a `/`.
 */
export interface TrustedIdentity {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  /** Numbers that a forge never gives again, so that a name that was freed is worth nothing (I04). */
  readonly repositoryId: string | null;
  readonly ownerId: string | null;
  readonly runner: string | null;
  /** Path of the workflow file in the repository. */
  readonly workflow: string | null;
  readonly triggers: readonly string[] | null;
}

/** How many distinct proofs a certificate needs: logs, certificate logs, timestamps. Never 0. */
export interface Thresholds {
  readonly tlog: number;
  readonly ctlog: number;
  readonly timestamp: number;
}

/** A TrustedRoot document, checked and in canonical JSON. */
export interface TrustedRootText {
  readonly json: string;
  readonly digest: Digest;
}

/** What one scope demands. The signature, subject and identity checks cannot be lowered. */
export interface ScopePolicy {
  readonly name: string;
  /** Repository prefix by whole path segments; the longest wins. */
  readonly scope: string;
  readonly channels: readonly string[];
  readonly tenant: string | null;
  readonly release: {
    readonly minimumMatches: number;
    /** Ids of those of `anyOf` and `identities` without whom there is no release; they count like the others. */
    readonly allOf: readonly string[];
    readonly anyOf: readonly TrustedKey[];
    readonly identities: readonly TrustedIdentity[];
    /** Predicate types that count as a release statement; default only Warder's own. */
    readonly predicateTypes: readonly string[];
  };
  readonly thresholds: Thresholds;
  /** Null: provenance is not demanded (said so in `trust explain`). */
  readonly provenance: {
    readonly builderIds: readonly string[];
    readonly buildTypes: readonly string[];
    /** Exact source repositories that may be built from. */
    readonly sourceRepositories: readonly string[];
    /** Ids of the signers that may speak for the builders; null: every signer of the release. */
    readonly signers: readonly string[] | null;
  } | null;
  /** Null: nobody else has to have verified the bundle. */
  readonly verification: {
    /** Exactly what the verifier calls itself. */
    readonly verifier: string;
    readonly predicateTypes: readonly string[];
    /** All of them; never empty. */
    readonly levels: readonly string[];
    readonly maxAgeMs: number;
    /** Who may sign for the verifier, and nothing else by that. */
    readonly anyOf: readonly TrustedKey[];
    readonly identities: readonly TrustedIdentity[];
  } | null;
  /** Null: no head of the channel is demanded. */
  readonly freshness: {
    readonly maxAgeMs: number;
    /** Who may sign heads, and nothing else by that. */
    readonly anyOf: readonly TrustedKey[];
    readonly identities: readonly TrustedIdentity[];
  } | null;
  /** How far above the floor a version may be. */
  readonly maxVersionStep: number;
}

/** A key that may sign the trust policy itself. It has no window: it counts until a version drops it. */
export type RootKey = Pick<TrustedKey, 'id' | 'publicKeyPem' | 'fingerprint'>;

/** Who may change the trust policy, together. */
export interface TrustRoots {
  readonly threshold: number;
  readonly keys: readonly RootKey[];
}

/** Who may let go of rules for a while, or end enforcement, on one host at a time. */
export interface BreakGlassTrust extends TrustRoots {
  readonly maxMinutes: number;
}

export interface TrustPolicy {
  readonly version: number;
  /** Null: the file on this host is all there is to go by. */
  readonly roots: TrustRoots | null;
  /** Null: nobody may. */
  readonly breakGlass: BreakGlassTrust | null;
  /** Signed with the policy: it applies even where it distrusts what is active. */
  readonly force: boolean;
  readonly policies: readonly ScopePolicy[];
  /** Null: no certificate is trusted. */
  readonly trustedRoot: TrustedRootText | null;
  readonly revoked: {
    readonly digests: readonly Digest[];
    readonly keys: readonly Digest[];
    /** Subjects of certificates, exactly. */
    readonly identities: readonly string[];
  };
  readonly onDistrustedLkg: 'keep-and-alert' | 'baseline';
  /** SHA-256 over the canonical policy with the keys it names. */
  readonly fingerprint: Digest;
}
