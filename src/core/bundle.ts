// What travels: the descriptor that is signed, the bytes that were fetched, and the types that carry
// the proof of each stage. A later type can only be made by the module that established the fact.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from './digest.ts';
import type { PolicyIr } from './policy/ir.ts';
import type { Reference } from './reference.ts';
import type { Failure } from './result.ts';
import type { BundleVersion } from './version.ts';

export const MEDIA = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  artifact: 'application/vnd.warder.bundle.v1+json',
  config: 'application/vnd.warder.bundle.config.v1+json',
  source: 'application/vnd.warder.policy.source.v1+yaml',
  ir: 'application/vnd.warder.policy.ir.v1+json',
  tests: 'application/vnd.warder.policy.tests.v1+yaml',
  sigstore: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  empty: 'application/vnd.oci.empty.v1+json',
  head: 'application/vnd.warder.head.v1+json',
  trust: 'application/vnd.warder.trust.v1+json',
  glass: 'application/vnd.warder.break-glass.v1+json',
} as const;

export const PREDICATE = {
  release: 'https://warder.dev/attestations/release/v1',
  provenance: 'https://slsa.dev/provenance/v1',
  vsa: 'https://slsa.dev/verification_summary/v1',
  svr: 'https://in-toto.io/attestation/svr/v0.1',
  cosignSign: 'https://sigstore.dev/cosign/sign/v1',
  head: 'https://warder.dev/attestations/head/v1',
  trust: 'https://warder.dev/attestations/trust/v1',
  glass: 'https://warder.dev/attestations/break-glass/v1',
} as const;

/** An OCI descriptor, as far as Warder reads it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** One file of a bundle. `path` is relative, safe, and unique. */
export interface BundleFile extends Descriptor {
  readonly path: string;
}

/** The config blob: what the publisher says and signs. Times are ISO 8601 in UTC. */
export interface BundleDescriptor {
  readonly name: string;
  readonly tenant: string;
  readonly channel: string;
  /** Canonical repository without tag: the place where this bundle belongs. */
  readonly repository: string;
  readonly version: BundleVersion;
  readonly previous: Digest | null;
  readonly createdAt: string;
  readonly notBefore: string;
  readonly expires: string;
  readonly minAgentVersion: string;
  readonly requires: { readonly kernel: string; readonly hooks: readonly string[] };
  readonly selectors: Readonly<Record<string, string>>;
  readonly source: { readonly repository: string; readonly ref: string; readonly commit: string };
  readonly files: readonly BundleFile[];
}

/** Everything needed to verify a bundle offline, and nothing that is believed yet. */
export interface BundleBytes {
  readonly digest: Digest;
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly files: readonly { readonly digest: Digest; readonly bytes: Uint8Array }[];
  /** Sigstore bundles (JSON) found among the referrers, in the order found. */
  readonly attestations: readonly Uint8Array[];
  /** Why other candidates are not in `attestations`. Absent when nobody looked (a replay). */
  readonly skipped?: readonly Failure[];
  /** The place that served it, where the repository is kept in several. */
  readonly from?: string;
}

/** A reference that was resolved once; everything after uses the digest. */
export interface Candidate {
  readonly reference: Reference;
  readonly digest: Digest;
}

/** Somebody whose signature counted. */
export interface Signer {
  /** Name of the entry in the trust policy. */
  readonly id: string;
  readonly kind: 'key' | 'identity';
  /** SHA-256 over the SubjectPublicKeyInfo of a key, or over the certificate of an identity. */
  readonly fingerprint: Digest;
}

/** What verification established about a bundle. */
export interface Admission {
  readonly digest: Digest;
  readonly descriptor: BundleDescriptor;
  readonly ir: PolicyIr;
  readonly signers: readonly Signer[];
  /** SHA-256 over the trust policy under which this was admitted. */
  readonly trustFingerprint: Digest;
  /** ISO 8601, UTC. */
  readonly verifiedAt: string;
}
