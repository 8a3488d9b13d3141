// Facts collected about a bundle: what its bytes say and whose signatures over them hold. No opinions.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { ChannelHead } from '../head.ts';
import type { PolicyIr } from '../policy/ir.ts';
import type { Provenance } from '../provenance.ts';
import type { Failure } from '../result.ts';
import type { VerificationSummary } from '../summary.ts';

export interface Evidence {
  readonly digest: Digest;
  readonly descriptor: BundleDescriptor;
  readonly ir: PolicyIr;
  readonly attestations: readonly AttestationFact[];
  /** Why attestations that are listed could not be read (unread.ts). */
  readonly unread: readonly Failure[];
}

/** One candidate attestation: unusable with its reason, or a statement with the keys that signed it. */
export type AttestationFact = { readonly kind: 'unusable'; readonly failure: Failure } | SignedFact;

/** A statement under a signature that holds. Who may say such a thing is judged, not known here. */
export interface SignedFact {
  readonly kind: 'signed';
  readonly predicateType: string;
  /** sha256 digests of the subjects. */
  readonly subjects: readonly Digest[];
  readonly claim: Claim;
  /** Fingerprints of the keys whose signature over the payload was verified. */
  readonly keys: readonly Digest[];
  /** The certificate whose key signed, when it was one; its chain and every proof in it held. */
  readonly certificate?: CertificateFact;
}

/** What a verified certificate says, and how much vouches for it. */
export interface CertificateFact {
  /** SHA-256 over its DER. */
  readonly fingerprint: Digest;
  readonly issuer: string;
  /** Its only alternative name. */
  readonly subject: string;
  /** Of Fulcio's extensions, those that are there. */
  readonly claims: CertificateClaims;
  /** Distinct logs whose entry about this signature and this certificate held. */
  readonly logs: number;
  readonly certificateLogs: number;
  /** Distinct authorities that say when. */
  readonly timestamps: number;
  /** The latest time that an authority or a log vouches for: it is past, whatever a clock says. */
  readonly provenMs?: number;
}

/** Extensions of a Fulcio certificate by what they mean. */
export interface CertificateClaims {
  readonly signerUri: string | null;
  readonly runner: string | null;
  readonly repository: string | null;
  readonly commit: string | null;
  readonly ref: string | null;
  readonly repositoryId: string | null;
  readonly ownerId: string | null;
  readonly workflowUri: string | null;
  readonly trigger: string | null;
}

/** What the predicate says, as far as its type is known here. */
export type Claim =
  | { readonly kind: 'release'; readonly descriptor: BundleDescriptor }
  | { readonly kind: 'provenance'; readonly provenance: Provenance }
  | { readonly kind: 'summary'; readonly summary: VerificationSummary }
  | { readonly kind: 'head'; readonly head: ChannelHead }
  /** A trust policy, as its canonical JSON. */
  | { readonly kind: 'trust'; readonly document: string }
  /** An order of break-glass, as its canonical JSON. */
  | { readonly kind: 'glass'; readonly document: string }
  /** "Signed", and nothing about place and time (cosign). */
  | { readonly kind: 'bare' }
  | { readonly kind: 'malformed'; readonly failure: Failure }
  | { readonly kind: 'other' };
