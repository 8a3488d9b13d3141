// Records of decisions: made from what was judged, with the bytes that they name.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type {
  BundleInput,
  Decided,
  DecisionRecord,
  Question,
  RecordWithBytes,
} from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { VerifyContext } from '../core/verify/verdict.ts';
import { digestOf } from '../wire/content.ts';
import { encodeTrustDocument } from '../wire/signed-trust.ts';

/** What a record is made from. */
export interface Draft {
  readonly by: DecisionRecord['by'];
  readonly program: string;
  readonly question: Question;
  /** The policy that was judged by. */
  readonly trust: TrustPolicy;
  readonly reference?: string;
  readonly subject: Digest | null;
  readonly bundles?: readonly (BundleBytes | { readonly missing: Digest })[];
  readonly statements?: readonly Uint8Array[];
  /** A trust policy that came as a file. */
  readonly next?: TrustPolicy;
  readonly decided: Decided;
  readonly durationMs: number | null;
}

/** Makes the record of a decision. */
export function makeRecord(draft: Draft): RecordWithBytes {
  const blobs = new Map<Digest, Uint8Array>();
  const keep = (bytes: Uint8Array): Digest => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return digest;
  };
  const { by, program, question, trust, subject, decided, durationMs } = draft;
  const { checks, failures } = decided;
  const at = question.kind === 'fetch' ? question.nowMs : question.context.nowMs;
  const record: DecisionRecord = {
    apiVersion: 'warder.dev/decision/v1',
    ...{ by, program, question, checks, failures, durationMs },
    at: new Date(at).toISOString(),
    trust: {
      version: trust.version,
      fingerprint: trust.fingerprint,
      document: keep(documentOf(trust)),
      root: trust.trustedRoot?.digest ?? null,
    },
    input: {
      reference: draft.reference ?? null,
      subject,
      bundles: (draft.bundles ?? []).map((it) => toInput(it, keep)),
      statements: (draft.statements ?? []).map(keep),
      document: draft.next === undefined ? null : keep(documentOf(draft.next)),
    },
    outcome: failures.length === 0 ? 'accepted' : 'refused',
  };
  return { record, blobs };
}

function toInput(
  bundle: BundleBytes | { readonly missing: Digest },
  keep: (bytes: Uint8Array) => Digest,
): BundleInput {
  if ('missing' in bundle) return { digest: bundle.missing, parts: null, skipped: [] };
  const parts = {
    manifest: keep(bundle.manifest),
    config: keep(bundle.config),
    files: bundle.files.map(({ digest, bytes }) => ({ said: digest, bytes: keep(bytes) })),
    attestations: bundle.attestations.map(keep),
  };
  return { digest: bundle.digest, parts, skipped: bundle.skipped ?? [] };
}

/** A context without what this host knows of other bundles. */
export function narrow(context: VerifyContext, digests: readonly Digest[]): VerifyContext {
  return { ...context, admitted: context.admitted.filter((it) => digests.includes(it)) };
}

// One policy judges many bundles.
const documents = new WeakMap<TrustPolicy, Uint8Array>();

function documentOf(trust: TrustPolicy): Uint8Array {
  const known = documents.get(trust);
  if (known !== undefined) return known;
  const document = encodeTrustDocument(trust);
  documents.set(trust, document);
  return document;
}
