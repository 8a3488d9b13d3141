// Public keys of the trust policy: read from PEM, normalised, named by their fingerprint. One algorithm,
// ECDSA on P-256, so that no policy can be weakened by what a key happens to be (bad input S24).
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import type { Digest } from '../core/digest.ts';
import { err, failure, ok, type Result } from '../core/result.ts';

/** A key as the trust policy keeps it: equal keys have equal PEM, however they were written. */
interface PublicKeyText {
  readonly publicKeyPem: string;
  readonly fingerprint: Digest;
}

const PEM = /^\s*-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/;

/** Reads one public key; a private key, a certificate and any other algorithm are refused. */
export function parsePublicKey(pem: string): Result<PublicKeyText> {
  // The label is checked here because createPublicKey also takes private keys and certificates.
  if (!PEM.test(pem)) {
    return err(failure('trust/key-invalid', 'not one PEM block with the label PUBLIC KEY'));
  }
  let key: KeyObject;
  try {
    key = createPublicKey({ key: pem, format: 'pem' });
  } catch (cause) {
    // OpenSSL's errors have a code; everything else is a bug.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    return err(failure('trust/key-invalid', 'not a public key', { causes: [cause.message] }));
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== 'ec' || curve !== 'prime256v1') {
    const found = [key.asymmetricKeyType, curve].filter((it) => it !== undefined).join(' ');
    return err(failure('trust/algorithm', `only ECDSA on P-256 is trusted; this key is ${found}`));
  }
  return ok({
    publicKeyPem: key.export({ type: 'spki', format: 'pem' }) as string,
    fingerprint: fingerprintKey(key),
  });
}

/** SHA-256 over the DER SubjectPublicKeyInfo. */
export function fingerprintKey(key: KeyObject): Digest {
  const der = key.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}` as Digest;
}
