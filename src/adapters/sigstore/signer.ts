// Signs in-toto statements with a file key: a DSSE envelope in a sigstore bundle v0.3, without a log and
// without timestamps (a trust policy that lists the key says so). Only DSSE: its pre-authentication
// encoding leaves no way to move bytes between fields.
//
// SPDX-License-Identifier: Apache-2.0

import { type KeyObject, sign, verify } from 'node:crypto';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { dsse } from '@sigstore/core';
import { DSSEBundleBuilder } from '@sigstore/sign';
import { LIMITS } from '../../core/limits.ts';
import { ok, type Result } from '../../core/result.ts';
import type { SignerPort } from '../../ports.ts';
import { parseStrictJson } from '../../wire/strict-json.ts';
import { openPrivateKey, type PublicKeyFacts, publicKeyFacts } from './signing-key.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A signer over a key file. */
export interface FileSigner extends SignerPort {
  readonly publicKeyPem: string;
}

/** Opens the key and makes a signer of it. */
export async function createFileSigner(
  keyPath: string,
  passphrase: string,
): Promise<Result<FileSigner>> {
  const key = await openPrivateKey(keyPath, passphrase);
  return key.ok ? ok(fileSigner(key.value, publicKeyFacts(key.value))) : key;
}

function fileSigner(key: KeyObject, { fingerprint, publicKeyPem }: PublicKeyFacts): FileSigner {
  const builder = new DSSEBundleBuilder({
    signer: {
      sign: async (bytes) => ({
        signature: sign('sha256', bytes, key),
        key: { $case: 'publicKey', publicKey: publicKeyPem, hint: fingerprint },
      }),
    },
    witnesses: [],
  });
  return {
    signedBy: fingerprint,
    publicKeyPem,
    sign: async (statement) => {
      const data = Buffer.from(statement);
      const bundle = await builder.create({ data, type: PAYLOAD_TYPE });
      // cosign skips a signature whose key id is not in its own spelling; the hint outside has ours.
      if (bundle.content.$case === 'dsseEnvelope') {
        for (const signature of bundle.content.dsseEnvelope.signatures) signature.keyid = '';
      }
      return ok(new TextEncoder().encode(JSON.stringify(bundleToJSON(bundle))));
    },
    open: (attestation) => openOwn(attestation, publicKeyPem),
  };
}

function openOwn(attestation: Uint8Array, publicKeyPem: string): Uint8Array | null {
  const json = parseStrictJson(attestation, { bytesMax: LIMITS.attestationBytesMax });
  if (!json.ok) return null;
  let content: ReturnType<typeof bundleFromJSON>['content'];
  try {
    content = bundleFromJSON(json.value).content;
  } catch {
    // Somebody else's bytes: whatever the parser throws at them, they are not ours.
    return null;
  }
  if (content.$case !== 'dsseEnvelope') return null;
  const { payload, payloadType, signatures } = content.dsseEnvelope;
  const [first] = signatures;
  if (first === undefined || signatures.length !== 1 || payloadType !== PAYLOAD_TYPE) return null;
  const signed = dsse.preAuthEncoding(payloadType, payload);
  return verify('sha256', signed, publicKeyPem, first.sig) ? new Uint8Array(payload) : null;
}
