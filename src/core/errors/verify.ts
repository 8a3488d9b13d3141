// Errors of verification, in the order of docs/verification.md.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const VERIFY_ERRORS = {
  'verify/no-attestations': {
    meaning: 'Nothing is attached to the bundle.',
    exit: EXIT.noSignature,
    retry: 'backoff',
  },
  'verify/legacy-signature': {
    meaning: 'Only tags of the form of before (.sig, .att) are there; they are not read.',
    exit: EXIT.noSignature,
    retry: 'backoff',
  },
  'verify/timeout': {
    meaning: 'Verification took longer than its deadline and was ended.',
    exit: EXIT.signature,
    retry: 'backoff',
  },
  'verify/crashed': {
    meaning: 'The verifying code failed, ended without an answer, or ran out of memory.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/decision-differs': {
    meaning: 'A recorded decision, repeated from its evidence, came out differently.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'verify/content-mismatch': {
    meaning: 'Manifest, descriptor and files do not name the same content.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'verify/bundle-too-large': {
    meaning: 'An attestation is larger, or has more elements, than the cap.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/bundle-invalid': {
    meaning: 'An attestation is not one strict sigstore bundle with one DSSE signature.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/bundle-version': {
    meaning: 'An attestation is not a sigstore bundle of exactly version 0.3.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/identity-required': {
    meaning:
      'An attestation is signed by a certificate where the trust policy names keys, or the reverse.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/identity-mismatch': {
    meaning:
      'An attestation is signed by an identity that the trust policy does not list for this place.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/identity-revoked': {
    meaning: 'An attestation is signed by a revoked identity.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'verify/runner': {
    meaning: 'The certificate is of another kind of runner than the trust policy demands.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/certificate-untrusted': {
    meaning: 'A certificate does not lead to a trusted authority, or is not one for signing code.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/certificate-time': {
    meaning: 'A certificate was not valid at the time that is proven for the signature.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/sct-invalid': {
    meaning: 'A certificate is in too few trusted certificate logs.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/timestamp-missing': {
    meaning: 'Nothing trusted says when the signature was made.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/algorithm': {
    meaning: 'A certificate has a key that is not ECDSA on P-256, the only algorithm in use.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/tlog-invalid': {
    meaning: 'An attestation carries a log entry that no trusted log vouches for.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/timestamp-invalid': {
    meaning: 'An attestation carries a timestamp that no trusted authority vouches for.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/key-unknown': {
    meaning:
      'An attestation is signed by a key that the trust policy does not list for this place.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/key-expired': {
    meaning: 'An attestation is signed by a key outside its window.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/key-revoked': {
    meaning: 'An attestation is signed by a revoked key.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'verify/signature-invalid': {
    meaning: 'The signature does not hold over the payload.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/payload-type': {
    meaning: 'What was signed is not an in-toto statement.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/statement-invalid': {
    meaning: 'The signed payload is not a strict in-toto statement.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/statement-type': {
    meaning: 'The signed payload is not an in-toto Statement of version 1.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/subject-mismatch': {
    meaning: 'A statement is about something else than this bundle.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/predicate-type': {
    meaning: 'A statement of another predicate type stands where one is required.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/release-mismatch': {
    meaning: 'The signed release statement does not say what the descriptor says.',
    exit: EXIT.signature,
    retry: 'quarantine',
  },
  'verify/threshold-not-met': {
    meaning: 'Fewer distinct trusted keys signed the release than the trust policy demands.',
    exit: EXIT.signature,
    retry: 'backoff',
  },
  'verify/provenance-missing': {
    meaning: 'The trust policy demands provenance, and none is attached.',
    exit: EXIT.provenance,
    retry: 'backoff',
  },
  'verify/builder-mismatch': {
    meaning: 'The provenance names a builder that is not trusted.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/build-type': {
    meaning: 'The provenance has an unknown build type.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/provenance-invalid': {
    meaning: 'The provenance is not a SLSA v1 predicate as Warder reads it.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/provenance-inconsistent': {
    meaning: 'Provenance, descriptor and trust policy name different sources.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/external-parameters': {
    meaning: 'The provenance has external parameters that Warder does not know.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/vsa-missing': {
    meaning: 'The trust policy demands a verification summary, and none is attached.',
    exit: EXIT.provenance,
    retry: 'backoff',
  },
  'verify/vsa-rejected': {
    meaning:
      'A verification summary failed, or is of another verifier, resource, level or time than is demanded.',
    exit: EXIT.provenance,
    retry: 'quarantine',
  },
  'verify/scope-mismatch': {
    meaning: 'The bundle belongs to another repository, channel, tenant or host.',
    exit: EXIT.rollback,
    retry: 'quarantine',
  },
  'verify/digest-revoked': {
    meaning: 'The trust policy revokes this digest.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'verify/rollback': {
    meaning: 'The version is below the highest that was admitted here.',
    exit: EXIT.rollback,
    retry: 'quarantine',
  },
  'verify/equivocation': {
    meaning: 'The version was admitted here with another digest.',
    exit: EXIT.rollback,
    retry: 'quarantine',
  },
  'verify/version-step': {
    meaning: 'The version is further above the highest that was admitted here than is allowed.',
    exit: EXIT.rollback,
    retry: 'quarantine',
  },
  'verify/head-missing': {
    meaning: 'The trust policy demands a head of the channel, and there is none.',
    exit: EXIT.freshness,
    retry: 'backoff',
  },
  'verify/head-invalid': {
    meaning: 'What is under the head tag is no channel head, or nobody who may has signed it.',
    exit: EXIT.signature,
    retry: 'backoff',
  },
  'verify/head-mismatch': {
    meaning: 'The channel head names another bundle than the one that is offered.',
    exit: EXIT.rollback,
    retry: 'backoff',
  },
  'verify/stale-head': {
    meaning: 'The channel head is older than the trust policy allows, or has expired.',
    exit: EXIT.freshness,
    retry: 'backoff',
  },
  'verify/not-admitted': {
    meaning: 'Stored evidence names a digest that was never admitted here.',
    exit: EXIT.rollback,
    retry: 'never',
  },
  'verify/expired': {
    meaning: 'The bundle has expired.',
    exit: EXIT.freshness,
    retry: 'quarantine',
  },
  'verify/not-yet-valid': {
    meaning: 'The bundle is not valid yet.',
    exit: EXIT.freshness,
    retry: 'backoff',
  },
  'verify/incompatible': {
    meaning:
      'The bundle needs a newer Warder, a newer kernel or a hook that this host does not have.',
    exit: EXIT.hostUnsupported,
    retry: 'quarantine',
  },
  'verify/baseline-violation': {
    meaning: 'The bundle defines rules that only the baseline may define.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
} as const satisfies ErrorTable;
