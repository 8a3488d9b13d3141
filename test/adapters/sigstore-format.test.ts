// The form of a sigstore bundle: everything but exactly version 0.3 with one DSSE signature by a key is
// refused before any cryptography. The ids are those of the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { type BundleJson, encodeJson, signBundle } from '../support/signed-bundle.ts';
import {
  firstCode,
  setEnvelope,
  setMaterial,
  signer,
  spoiled,
  stranger,
} from '../support/verdicts.ts';

describe('the sigstore bundle', () => {
  test.each([
    ['S01 an empty object', '{}'],
    ['S01 null', 'null'],
    ['S01 an array', '[]'],
    ['S01 a number', '7'],
    ['no JSON', 'bundle'],
    ['a duplicate key', '{"mediaType":"a","mediaType":"b"}'],
    ['a key that engines obey', '{"__proto__":{}}'],
    ['M15 JSON nested 1,000 deep', '['.repeat(1000)],
  ])('%s is refused', (_name, text) => {
    expect(firstCode(Buffer.from(text))).toBe('verify/bundle-invalid');
  });

  test.each([
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle.v9.9+json',
    'application/vnd.dev.sigstore.bundle.v0.3+json;evil',
  ])('S02 the media type %s is refused', async (mediaType) => {
    expect(await spoiled((it) => ({ ...it, mediaType }))).toBe('verify/bundle-version');
  });

  const messageSignature = {
    messageDigest: { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') },
    signature: 'AAAA',
  };
  test.each<[string, (bundle: BundleJson) => unknown, ErrorCode]>([
    [
      'S03 message signature and envelope together',
      (it) => ({ ...it, messageSignature }),
      'verify/bundle-invalid',
    ],
    ['S03 neither', ({ dsseEnvelope: _, ...it }) => it, 'verify/bundle-invalid'],
    [
      'S03 a message signature alone',
      ({ dsseEnvelope: _, ...it }) => ({ ...it, messageSignature }),
      'verify/bundle-invalid',
    ],
    [
      'S04 no signature',
      (it) => void it.dsseEnvelope.signatures.splice(0),
      'verify/bundle-invalid',
    ],
    [
      'S04 two signatures',
      (it) => void it.dsseEnvelope.signatures.push({ sig: 'AAAA' }),
      'verify/bundle-invalid',
    ],
    [
      'S04 a thousand signatures',
      (it) =>
        void it.dsseEnvelope.signatures.push(
          ...Array.from({ length: 999 }, () => ({ sig: 'AAAA' })),
        ),
      'verify/bundle-invalid',
    ],
    ['an unknown field', (it) => ({ ...it, extra: 1 }), 'verify/bundle-invalid'],
    [
      'an unknown field of the envelope',
      (it) => void Object.assign(it.dsseEnvelope, { extra: 1 }),
      'verify/bundle-invalid',
    ],
    [
      'base64 in another spelling',
      (it) => setEnvelope(it, { payload: `${it.dsseEnvelope.payload}\n` }),
      'verify/bundle-invalid',
    ],
    ['S12 a log entry', (it) => setMaterial(it, { tlogEntries: [{}] }), 'verify/tlog-invalid'],
    [
      'S18 100,000 log entries',
      (it) => setMaterial(it, { tlogEntries: Array.from({ length: 100_000 }, () => ({})) }),
      'verify/bundle-too-large',
    ],
    [
      'S18 100,000 timestamps',
      (it) =>
        setMaterial(it, {
          timestampVerificationData: {
            rfc3161Timestamps: Array.from({ length: 100_000 }, () => ({})),
          },
        }),
      'verify/bundle-too-large',
    ],
    [
      'a timestamp',
      (it) =>
        setMaterial(it, {
          timestampVerificationData: {
            rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }],
          },
        }),
      'verify/timestamp-invalid',
    ],
    [
      'S21 a certificate where keys are demanded',
      (it) => ({ ...it, verificationMaterial: { certificate: { rawBytes: 'AAAA' } } }),
      'verify/identity-required',
    ],
    [
      'S21 a certificate chain where keys are demanded',
      (it) => ({ ...it, verificationMaterial: { x509CertificateChain: { certificates: [] } } }),
      'verify/identity-required',
    ],
    [
      'a certificate beside a key',
      (it) => setMaterial(it, { certificate: { rawBytes: 'AAAA' } }),
      'verify/bundle-invalid',
    ],
    [
      'neither key nor certificate',
      (it) => ({ ...it, verificationMaterial: {} }),
      'verify/bundle-invalid',
    ],
  ])('%s is refused', async (_name, spoil, code) => {
    expect(await spoiled(spoil)).toBe(code);
  });

  test('M15 JSON nested 100,000 deep is refused', () => {
    expect(firstCode(Buffer.from('['.repeat(100_000)))).toBe('verify/bundle-too-large');
  });

  test('S18 100,000 subjects are refused before the signature is looked at', async () => {
    const subject = Array.from({ length: 30_000 }, () => ({ name: 'x' }));
    const payload = encodeJson({ _type: 'https://in-toto.io/Statement/v1', subject });
    const bundle = await signBundle(payload, stranger, { hint: signer.fingerprint });
    expect(firstCode(encodeJson(bundle))).toBe('verify/bundle-too-large');
  });

  test('S18 as many of the largest attestations as may come are read well before the deadline', () => {
    const bytes = Buffer.from(`[${'{"a":1},'.repeat(130_000)}1]`);
    const started = performance.now();
    for (let count = 0; count < LIMITS.referrersMax; count += 1) firstCode(bytes);
    expect(performance.now() - started).toBeLessThan(LIMITS.verifyTimeoutMs / 2);
  });

  test('an attestation above the byte cap is refused', () => {
    const bytes = Buffer.alloc(LIMITS.attestationBytesMax + 1, 0x20);
    expect(firstCode(bytes)).toBe('verify/bundle-too-large');
  });
});
