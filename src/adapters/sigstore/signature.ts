// Whether the signature of a bundle holds, and by whom: a listed key, or a certificate whose chain, logs
// and timestamps the trusted root vouches for. Everything that is in the bundle must hold; how much of it
// is enough is judged in core. What the library leaves out is done here: the key of a log entry, and the
// window of the key of a log.
//
// SPDX-License-Identifier: Apache-2.0

import type { KeyObject } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import {
  type SignedEntity,
  type TrustMaterial,
  toSignedEntity,
  VerificationError,
  Verifier,
} from '@sigstore/verify';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { CertificateFact } from '../../core/verify/evidence.ts';
import type { SignedBundle } from '../../wire/sigstore-bundle.ts';
import { readCertificate } from './certificate.ts';
import type { KeyRing } from './keys.ts';
import { isAbout } from './log-body.ts';

/** What signatures are verified against. */
export interface Anchors {
  readonly ring: Pick<KeyRing, 'get'>;
  /** Authorities and logs of the trusted root; empty lists without one. */
  readonly material: TrustMaterial;
}

/** Who signed. */
export interface Signed {
  readonly key: KeyObject;
  readonly certificate: CertificateFact | null;
}

/** A file of which only the digest is known; see prehashed.ts. */
export interface HashedFile {
  readonly holds: (key: KeyObject, signature: Uint8Array) => boolean;
}

/** Verifies everything that the bundle brings; a signature over a file needs the file, or its digest. */
export function verifySignature(
  bundle: SignedBundle,
  anchors: Anchors,
  file?: Uint8Array | HashedFile,
): Result<Signed> {
  try {
    const open = () => openEntity(bundle, file);
    return bundle.proof.kind === 'key'
      ? verifyByKey(bundle, bundle.proof.hint, open, anchors)
      : verifyByCertificate(bundle, bundle.proof.der, open, anchors);
  } catch (cause) {
    // Whatever is thrown at a stranger's bytes, TypeErrors and ASN.1 errors too, is a refusal (S22).
    return err(refuseThrown(cause));
  }
}

/** Opens the bundle with the library; throws what it throws. */
type OpenEntity = () => SignedEntity;

function openEntity(
  { json }: SignedBundle,
  file: Uint8Array | HashedFile | undefined,
): SignedEntity {
  const bundle = bundleFromJSON(json);
  if (file === undefined) return toSignedEntity(bundle);
  if (file instanceof Uint8Array) return toSignedEntity(bundle, Buffer.from(file));
  const { signature, ...entity } = toSignedEntity(bundle);
  return {
    ...entity,
    signature: {
      signature: signature.signature,
      compareSignature: (it) => signature.compareSignature(it),
      compareDigest: (it) => signature.compareDigest(it),
      compareSignedDigest: (it) => signature.compareSignedDigest(it),
      verifySignature: (key) => file.holds(key, signature.signature),
    },
  };
}

function verifyByKey(
  bundle: SignedBundle,
  hint: string,
  open: OpenEntity,
  anchors: Anchors,
): Result<Signed> {
  const listed = anchors.ring.get(hint);
  if (listed === undefined) {
    const shown = escapeAndCut(hint, 100);
    return err(
      failure('verify/key-unknown', 'signed by a key that the trust policy does not list', {
        causes: [`key hint: ${shown === '' ? 'none' : shown}`],
      }),
    );
  }
  // Zeros are written out: a bundle under a plain key needs no time, no log and no certificate.
  const material = {
    ...anchors.material,
    publicKey: () => ({ publicKey: listed, validFor: () => true }),
  };
  const verifier = new Verifier(material, {
    tlogThreshold: 0,
    ctlogThreshold: 0,
    timestampThreshold: 0,
  });
  const { key } = verifier.verify(open());
  const logged = checkEntries(bundle, null, key, anchors);
  return logged.ok ? ok({ key, certificate: null }) : logged;
}

function verifyByCertificate(
  bundle: SignedBundle,
  der: Uint8Array,
  open: OpenEntity,
  anchors: Anchors,
): Result<Signed> {
  const words = readCertificate(der);
  if (!words.ok) return words;
  const entity = open();
  if (entity.timestamps.length === 0) {
    return err(failure('verify/timestamp-missing', 'nothing says when it was signed'));
  }
  // One timestamp at least, because the library takes a chain for verified when there is none to verify
  // it at; the other numbers are judged in core.
  const verifier = new Verifier(anchors.material, {
    tlogThreshold: 0,
    ctlogThreshold: 0,
    timestampThreshold: 1,
  });
  const { key } = verifier.verify(entity);
  const logged = checkEntries(bundle, der, key, anchors);
  if (!logged.ok) return logged;
  const { certificateLogs, ...said } = words.value;
  return ok({
    key,
    certificate: {
      ...said,
      logs: new Set(bundle.logEntries.map((it) => it.logId)).size,
      certificateLogs: new Set(certificateLogs).size,
      timestamps: countSources(bundle),
      provenMs: Math.max(0, ...timesOf(bundle).map((it) => it.getTime())),
    },
  });
}

function checkEntries(
  bundle: SignedBundle,
  certificate: Uint8Array | null,
  key: KeyObject,
  { material }: Anchors,
): Result<void> {
  const times = timesOf(bundle);
  for (const { logId, body, tree } of bundle.logEntries) {
    const id = Buffer.from(logId, 'base64');
    const log = material.tlogs.find((it) => it.logID.equals(id));
    if (log === undefined) {
      return err(failure('verify/tlog-invalid', 'a log entry is of a log that is not trusted'));
    }
    // The library looks at the window of a log's key only where the log itself says when.
    const { start, end } = log.validFor;
    if (times.some((it) => it < start || it > end)) {
      return err(failure('verify/tlog-invalid', 'the key of the log was not in use at that time'));
    }
    // The library proves inclusion in the tree of the note; the proof may tell another tree (S13).
    const [, size, root] = tree?.checkpoint.split('\n') ?? [];
    if (size !== tree?.size || root !== tree?.rootHash) {
      return err(failure('verify/tlog-invalid', 'a log entry tells two trees'));
    }
    if (isAbout(body, certificate, key)) continue;
    return err(failure('verify/tlog-invalid', 'a log entry is about another key'));
  }
  return ok(undefined);
}

/** The times that were proven, once everything else holds. */
function timesOf({ timestamps, logEntries }: SignedBundle): readonly Date[] {
  const stamped = timestamps.map((it) => RFC3161Timestamp.parse(Buffer.from(it)).signingTime);
  const promised = logEntries.filter((it) => it.isPromised);
  return [...stamped, ...promised.map((it) => new Date(it.integratedMs))];
}

/** Distinct sources of time: an authority by its certificate, or a log that promised. */
function countSources({ timestamps, logEntries }: SignedBundle): number {
  const sources = new Set<string>();
  for (const stamp of timestamps) {
    const { signerIssuer, signerSerialNumber } = RFC3161Timestamp.parse(Buffer.from(stamp));
    sources.add(`tsa ${signerIssuer.toString('hex')} ${signerSerialNumber.toString('hex')}`);
  }
  for (const { logId, isPromised } of logEntries) if (isPromised) sources.add(`log ${logId}`);
  return sources.size;
}

function refuseThrown(cause: unknown): Failure {
  if (!(cause instanceof VerificationError)) {
    const causes = [escapeAndCut(cause instanceof Error ? cause.message : String(cause), 200)];
    return failure('verify/bundle-invalid', 'the bundle cannot be verified', { causes });
  }
  const inner = cause.cause instanceof Error ? cause.cause.message : '';
  const causes = [cause.message, inner]
    .filter((it) => it !== '')
    .map((it) => escapeAndCut(it, 200));
  const { code } = cause;
  if (code === 'SIGNATURE_ERROR') {
    return failure('verify/signature-invalid', 'the signature does not hold over the payload');
  }
  if (code === 'TIMESTAMP_ERROR') {
    return failure('verify/timestamp-invalid', 'a timestamp does not hold', { causes });
  }
  if (code === 'CERTIFICATE_ERROR') return refuseCertificate(causes);
  if (code.startsWith('TLOG_')) {
    return failure('verify/tlog-invalid', 'a log entry does not hold', { causes });
  }
  return failure('verify/bundle-invalid', 'the bundle cannot be verified', { causes });
}

function refuseCertificate(causes: readonly string[]): Failure {
  const text = causes.join(' ');
  if (/SCT/.test(text)) {
    return failure('verify/sct-invalid', 'a proof of the certificate log does not hold', {
      causes,
    });
  }
  if (/not valid or expired/.test(text)) {
    const what = 'the certificate was not valid when it was used';
    return failure('verify/certificate-time', what, { causes });
  }
  return failure('verify/certificate-untrusted', 'the certificate is of no trusted authority', {
    causes,
  });
}
