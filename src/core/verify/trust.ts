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

/** What one scope demands. The signature, subject and identity checks cannot be lowered. */
export interface ScopePolicy {
  readonly name: string;
  /** Repository prefix by whole path segments; the longest wins. */
  readonly scope: string;
  readonly channels: readonly string[];
  readonly tenant: string | null;
  readonly release: {
    readonly minimumMatches: number;
    readonly anyOf: readonly TrustedKey[];
    /** Predicate types that count as a release statement; default only Warder's own. */
    readonly predicateTypes: readonly string[];
  };
  /** Null: provenance is not demanded (said so in `trust explain`). */
  readonly provenance: {
    readonly builderIds: readonly string[];
    readonly buildTypes: readonly string[];
    /** Exact source repositories that may be built from. */
    readonly sourceRepositories: readonly string[];
  } | null;
}

export interface TrustPolicy {
  readonly version: number;
  readonly policies: readonly ScopePolicy[];
  readonly revoked: { readonly digests: readonly Digest[]; readonly keys: readonly Digest[] };
  readonly onDistrustedLkg: 'keep-and-alert' | 'baseline';
  /** SHA-256 over the canonical policy with the keys it names. */
  readonly fingerprint: Digest;
}
