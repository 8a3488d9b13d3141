// One attestation -> one fact. The key, the signature and the payload are tied together here: the fact
// names the key that the verifier used, not the one that the bundle hinted at, and its statement is
// read from the very bytes that were signed. Whatever the library throws is a refusal (bad input S22).
//
// SPDX-License-Identifier: Apache-2.0

import type { KeyObject } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import { PREDICATE } from '../../core/bundle.ts';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { AttestationFact, Claim } from '../../core/verify/evidence.ts';
import { parseSigstoreBundle, type SigstoreBundle } from '../../wire/sigstore-bundle.ts';
import { parseProvenancePredicate } from '../../wire/slsa.ts';
import { parseReleasePredicate, parseStatement } from '../../wire/statement.ts';
import { fingerprintKey } from '../../wire/trust-key.ts';
import type { KeyRing } from './keys.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Reads and verifies one attestation. */
export function readAttestation(bytes: Uint8Array, ring: KeyRing): AttestationFact {
  const fact = collectFact(bytes, ring);
  return fact.ok ? fact.value : { kind: 'unusable', failure: fact.error };
}

function collectFact(bytes: Uint8Array, ring: KeyRing): Result<AttestationFact> {
  const bundle = parseSigstoreBundle(bytes);
  if (!bundle.ok) return bundle;
  const key = verifySignature(bundle.value, ring);
  if (!key.ok) return key;
  // Only now: an altered payload type is a broken signature first (S07), a wrong one second (S08).
  if (bundle.value.payloadType !== PAYLOAD_TYPE) {
    const type = escapeAndCut(bundle.value.payloadType, 100);
    return err(failure('verify/payload-type', `what was signed is ${type}, not a statement`));
  }
  const statement = parseStatement(bundle.value.payload);
  if (!statement.ok) return statement;
  const { predicateType, predicate, subjects } = statement.value;
  const claim = readClaim(predicateType, predicate);
  const keys = [fingerprintKey(key.value)];
  return ok({ kind: 'signed', predicateType, subjects, claim, keys });
}

function verifySignature(bundle: SigstoreBundle, ring: KeyRing): Result<KeyObject> {
  const listed = ring.get(bundle.hint);
  if (listed === undefined) {
    const hint = escapeAndCut(bundle.hint, 100);
    return err(
      failure('verify/key-unknown', 'signed by a key that the trust policy does not list', {
        causes: [`key hint: ${hint === '' ? 'none' : hint}`],
      }),
    );
  }
  // Zeros are written out: a bundle under a plain key proves no time, no log and no certificate.
  const verifier = new Verifier(
    {
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
      publicKey: () => ({ publicKey: listed, validFor: () => true }),
    },
    { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
  );
  try {
    return ok(verifier.verify(toSignedEntity(bundleFromJSON(bundle.json))).key);
  } catch (cause) {
    return err(refuseThrown(cause));
  }
}

function refuseThrown(cause: unknown): Failure {
  const text = escapeAndCut(cause instanceof Error ? cause.message : String(cause), 200);
  if (cause instanceof VerificationError && cause.code === 'SIGNATURE_ERROR') {
    return failure('verify/signature-invalid', 'the signature does not hold over the payload');
  }
  return failure('verify/bundle-invalid', 'the bundle cannot be verified', { causes: [text] });
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
  return { kind: 'other' };
}
