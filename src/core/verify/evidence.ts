// Facts collected about a bundle: what its bytes say and whose signatures over them hold. No opinions.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { PolicyIr } from '../policy/ir.ts';
import type { Failure } from '../result.ts';

export interface Evidence {
  readonly digest: Digest;
  readonly descriptor: BundleDescriptor;
  readonly ir: PolicyIr;
  readonly attestations: readonly AttestationFact[];
}

/** One candidate attestation: unusable with its reason, or a statement with the keys that signed it. */
export type AttestationFact =
  | { readonly kind: 'unusable'; readonly failure: Failure }
  | {
      readonly kind: 'signed';
      readonly payloadType: string;
      readonly predicateType: string;
      /** sha256 digests of the subjects. */
      readonly subjects: readonly Digest[];
      /** Parsed JSON; its shape depends on the predicate type. */
      readonly predicate: unknown;
      /** Fingerprints of the keys whose signature over the payload was verified. */
      readonly keys: readonly Digest[];
    };
