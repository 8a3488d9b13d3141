// Whom a log entry is about. The library compares the signature and the payload of an entry with the
// bundle, and not the key: an entry that somebody else made of a copied signature would count (S12).
//
// SPDX-License-Identifier: Apache-2.0

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { LIMITS } from '../../core/limits.ts';
import { parseStrictJson } from '../../wire/strict-json.ts';

/** Where each kind of entry keeps its verifier: the path, and how the key is spelled there. */
const PLACES: readonly (readonly [string, readonly (string | number)[], 'pem' | 'der'])[] = [
  ['dsse 0.0.1', ['spec', 'signatures', 0, 'verifier'], 'pem'],
  ['intoto 0.0.2', ['spec', 'content', 'envelope', 'signatures', 0, 'publicKey'], 'pem'],
  ['hashedrekord 0.0.1', ['spec', 'signature', 'publicKey', 'content'], 'pem'],
  ['dsse 0.0.2', ['spec', 'dsseV002', 'signatures', 0, 'verifier'], 'der'],
  ['hashedrekord 0.0.2', ['spec', 'hashedRekordV002', 'signature', 'verifier'], 'der'],
];

/** True when the entry names exactly this certificate, or this key when there is no certificate. */
export function isAbout(body: Uint8Array, certificate: Uint8Array | null, key: KeyObject): boolean {
  const json = parseStrictJson(body, { bytesMax: LIMITS.attestationBytesMax });
  if (!json.ok) return false;
  const name = `${String(dig(json.value, 'kind'))} ${String(dig(json.value, 'apiVersion'))}`;
  const place = PLACES.find(([kind]) => kind === name);
  if (place === undefined) return false;
  const [, path, spelling] = place;
  const verifier = path.reduce<unknown>((value, field) => dig(value, field), json.value);
  return spelling === 'pem'
    ? isSamePem(verifier, certificate, key)
    : isSameDer(verifier, certificate, key);
}

function isSamePem(verifier: unknown, certificate: Uint8Array | null, key: KeyObject): boolean {
  const pem = decode(verifier);
  if (pem === null) return false;
  if (certificate !== null) return new X509Certificate(pem).raw.equals(certificate);
  return createPublicKey(pem).equals(key);
}

function isSameDer(verifier: unknown, certificate: Uint8Array | null, key: KeyObject): boolean {
  const field = certificate === null ? 'publicKey' : 'x509Certificate';
  const der = decode(dig(dig(verifier, field), 'rawBytes'));
  if (der === null) return false;
  if (certificate !== null) return der.equals(certificate);
  // By bytes: a reader of keys skips what follows them.
  return key.export({ format: 'der', type: 'spki' }).equals(der);
}

/** The bytes of base64 as logs write it; null for other spellings, which Node would read as well. */
function decode(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

function dig(value: unknown, field: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as Record<string | number, unknown>)[field];
}
