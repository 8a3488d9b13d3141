// One attestation -> one fact. The key, the signature and the payload are tied together here: the fact
// names the key that the verifier used, not the one that the bundle hinted at, and its statement is
// read from the very bytes that were signed. Whatever the library throws is a refusal (bad input S22).
//
// SPDX-License-Identifier: Apache-2.0

import { PREDICATE } from '../../core/bundle.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { VerificationSummary } from '../../core/summary.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { AttestationFact, Claim } from '../../core/verify/evidence.ts';
import { toCanonicalJson } from '../../wire/canonical-json.ts';
import { parseHeadPredicate } from '../../wire/head.ts';
import { parseSigstoreBundle } from '../../wire/sigstore-bundle.ts';
import { parseProvenancePredicate } from '../../wire/slsa.ts';
import { parseReleasePredicate, parseStatement } from '../../wire/statement.ts';
import { parseSvrPredicate, parseVsaPredicate } from '../../wire/summary.ts';
import { fingerprintKey } from '../../wire/trust-key.ts';
import { type Anchors, verifySignature } from './signature.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Reads and verifies one attestation. */
export function readAttestation(bytes: Uint8Array, anchors: Anchors): AttestationFact {
  const fact = collectFact(bytes, anchors);
  return fact.ok ? fact.value : { kind: 'unusable', failure: fact.error };
}

function collectFact(bytes: Uint8Array, anchors: Anchors): Result<AttestationFact> {
  const { material } = anchors;
  const bundle = parseSigstoreBundle(bytes, material.tlogs.length > 0);
  if (!bundle.ok) return bundle;
  const signed = verifySignature(bundle.value, anchors);
  if (!signed.ok) return signed;
  // Only now: an altered payload type is a broken signature first (S07), a wrong one second (S08).
  if (bundle.value.payloadType !== PAYLOAD_TYPE) {
    const type = escapeAndCut(bundle.value.payloadType, 100);
    return err(failure('verify/payload-type', `what was signed is ${type}, not a statement`));
  }
  const statement = parseStatement(bundle.value.payload);
  if (!statement.ok) return statement;
  const { predicateType, predicate, subjects } = statement.value;
  const claim = readClaim(predicateType, predicate);
  const said = { kind: 'signed', predicateType, subjects, claim } as const;
  const { key, certificate } = signed.value;
  if (certificate !== null) return ok({ ...said, keys: [], certificate });
  return ok({ ...said, keys: [fingerprintKey(key)] });
}

function readClaim(predicateType: string, predicate: unknown): Claim {
  if (predicateType === PREDICATE.cosignSign) return { kind: 'bare' };
  if (predicateType === PREDICATE.release) {
    const descriptor = parseReleasePredicate(predicate);
    if (descriptor.ok) return { kind: 'release', descriptor: descriptor.value };
    const { message, causes } = descriptor.error;
    const wrong = failure('verify/statement-invalid', 'the release statement has no descriptor', {
      causes: [message, ...causes],
    });
    return { kind: 'malformed', failure: wrong };
  }
  if (predicateType === PREDICATE.provenance) {
    const provenance = parseProvenancePredicate(predicate);
    return provenance.ok
      ? { kind: 'provenance', provenance: provenance.value }
      : { kind: 'malformed', failure: provenance.error };
  }
  if (predicateType === PREDICATE.vsa) return toSummary(parseVsaPredicate(predicate));
  if (predicateType === PREDICATE.svr) return toSummary(parseSvrPredicate(predicate));
  if (predicateType === PREDICATE.head) {
    const head = parseHeadPredicate(predicate);
    return head.ok
      ? { kind: 'head', head: head.value }
      : { kind: 'malformed', failure: head.error };
  }
  if (predicateType === PREDICATE.trust) {
    const document = toCanonicalJson(predicate ?? null);
    return { kind: 'trust', document: new TextDecoder().decode(document) };
  }
  if (predicateType === PREDICATE.glass) {
    const document = toCanonicalJson(predicate ?? null);
    return { kind: 'glass', document: new TextDecoder().decode(document) };
  }
  return { kind: 'other' };
}

function toSummary(summary: Result<VerificationSummary>): Claim {
  return summary.ok
    ? { kind: 'summary', summary: summary.value }
    : { kind: 'malformed', failure: summary.error };
}
