// What the agent decided, for its own records: facts as they were judged, with the bytes they came from. The
// interpreter makes records of them (controller/notes.ts).
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { Failure, Result } from '../result.ts';
import type { AttestationFact, Evidence } from '../verify/evidence.ts';
import type { HeadContext } from '../verify/head.ts';
import type { VerifyContext, VerifyVerdict } from '../verify/verdict.ts';

/** One decision of the agent. */
export type Note = { readonly reference: string } & (
  | {
      readonly kind: 'bundle';
      readonly bundle: BundleBytes;
      readonly judged: Result<{ readonly evidence: Evidence; readonly verdict: VerifyVerdict }>;
      readonly context: VerifyContext;
    }
  | {
      readonly kind: 'head';
      readonly statements: readonly Uint8Array[];
      readonly answer: Result<readonly AttestationFact[]>;
      readonly context: HeadContext;
    }
  /** Refused before there was anything to judge. */
  | {
      readonly kind: 'fetch';
      readonly digest: Digest;
      readonly failure: Failure;
      readonly nowMs: number;
    }
);
