// File keys: ECDSA P-256 in an encrypted PKCS#8 file, and the public half beside it. The passphrase
// comes from a file or from a variable that the configuration names, never from arguments.
//
// Invariants: a key is never overwritten; an unencrypted key is refused, because a file that is copied
// must not be enough to sign.
//
// SPDX-License-Identifier: Apache-2.0

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import type { Digest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

/** Where the passphrase is. */
export type PassphraseSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string };

/** The public half of a key. */
export interface PublicKeyFacts {
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKeyPem: string;
  /** SHA-256 over the DER SubjectPublicKeyInfo. */
  readonly fingerprint: Digest;
}

const ENCRYPTED = /^-----BEGIN ENCRYPTED PRIVATE KEY-----\r?\n/;
const KEY_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** Reads the passphrase; empty is missing. `variables` is the environment of the process. */
export async function readPassphrase(
  source: PassphraseSource,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Result<string>> {
  if (source.kind === 'variable') {
    const value = variables[source.name] ?? '';
    return value === '' ? noPassphrase(`the variable ${source.name} is not set`) : ok(value);
  }
  const text = await readText(source.path);
  if (text === null) return noPassphrase(`${source.path} cannot be read`);
  const passphrase = text.replace(/\r?\n$/, '');
  return passphrase === '' ? noPassphrase(`${source.path} is empty`) : ok(passphrase);
}

function noPassphrase(why: string): Result<never> {
  const hints = ['put the passphrase into a file or a variable and name it in the configuration'];
  return err(
    failure('publish/key-passphrase', 'there is no passphrase for the signing key', {
      causes: [why],
      hints,
    }),
  );
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
    return null;
  }
}

/** Makes a key pair and writes `PATH` (private, encrypted) and `PATH.pub`. */
export async function generateKey(
  path: string,
  passphrase: string,
): Promise<Result<PublicKeyFacts>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  });
  for (const [file, text, mode] of [
    [path, privateKey, KEY_MODE],
    [`${path}.pub`, publicKey, PUBLIC_MODE],
  ] as const) {
    const written = await writeNew(file, text, mode);
    if (!written.ok) return written;
  }
  return ok(publicKeyFacts(createPublicKey(publicKey)));
}

async function writeNew(path: string, text: string, mode: number): Promise<Result<void>> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return ok(undefined);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    if (code === 'EEXIST') return err(failure('publish/key-exists', `${path} is there already`));
    return err(failure('publish/key-unreadable', `cannot write ${path}`, { causes: [code] }));
  }
}

/** Opens a private key file: encrypted PKCS#8, P-256, nothing else. */
export async function openPrivateKey(path: string, passphrase: string): Promise<Result<KeyObject>> {
  const pem = await readText(path);
  if (pem === null) return unreadable(path, 'the file cannot be read');
  if (!ENCRYPTED.test(pem)) return unreadable(path, 'it is not an encrypted PKCS#8 file');
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, passphrase });
  } catch (cause) {
    // OpenSSL's codes differ between a wrong passphrase and a torn file only by chance.
    if (!(cause instanceof Error)) throw cause;
    const hints = ['check the passphrase; if it is right, the file is damaged'];
    return err(failure('publish/key-passphrase', `${path} cannot be decrypted`, { hints }));
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== 'ec' || curve !== 'prime256v1') {
    return unreadable(path, 'it is not an ECDSA key on P-256');
  }
  return ok(key);
}

function unreadable(path: string, why: string): Result<never> {
  const what = `${path} cannot be used as a signing key`;
  return err(failure('publish/key-unreadable', what, { causes: [why] }));
}

/** The public half of a key and its fingerprint. */
export function publicKeyFacts(key: KeyObject): PublicKeyFacts {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return {
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    fingerprint: `sha256:${createHash('sha256').update(der).digest('hex')}` as Digest,
  };
}
