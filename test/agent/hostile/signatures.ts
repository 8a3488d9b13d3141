// S by keys: the form of a sigstore bundle, its signature, and the key that it names.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { attach, type Hostile } from '../../support/hostile.ts';
import { type BundleJson, encodeJson, signBundle } from '../../support/signed-bundle.ts';
import { changeSignature, flipBit, setEnvelope, setMaterial } from '../../support/verdicts.ts';
import { ci, expired, revoked, second, sign } from './keys.ts';

/** The only release is a sigstore bundle that was spoiled after it was signed. */
function spoiled(
  id: string,
  what: string,
  code: ErrorCode,
  spoil: (bundle: BundleJson) => unknown,
): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: async (draft) => {
      const bundle = await signBundle(draft.release, ci);
      const made = spoil(bundle) ?? bundle;
      const bytes = typeof made === 'string' ? Buffer.from(made) : encodeJson(made);
      return attach(draft, bytes, await sign(draft.provenance));
    },
  };
}

const INVALID = 'verify/bundle-invalid';
const UNSIGNED = 'verify/signature-invalid';
const LOW = Buffer.from('3006020100020100', 'hex');
const messageSignature = {
  messageDigest: { algorithm: 'SHA2_256', digest: Buffer.alloc(32).toString('base64') },
  signature: 'AAAA',
};
const many = (count: number) => Array.from({ length: count }, () => ({}));
const hinted = (what: string, hint: string): Hostile =>
  spoiled('S19', `a hint that is ${what}`, 'verify/key-unknown', (it) =>
    setMaterial(it, { publicKey: { hint } }),
  );

export const SIGNATURES: readonly Hostile[] = [
  spoiled('S01', 'an empty object', INVALID, () => '{}'),
  spoiled('S01', 'null', INVALID, () => 'null'),
  spoiled('S01', 'an array', INVALID, () => '[]'),
  spoiled('S01', 'a number', INVALID, () => '7'),
  ...['+json;version=0.1', '+json;version=0.2', '.v9.9+json', '.v0.3+json;evil'].map((end) =>
    spoiled('S02', `a bundle${end}`, 'verify/bundle-version', (it) => ({
      ...it,
      mediaType: `application/vnd.dev.sigstore.bundle${end}`,
    })),
  ),
  spoiled('S03', 'a message signature and an envelope', INVALID, (it) => ({
    ...it,
    messageSignature,
  })),
  spoiled('S03', 'neither of them', INVALID, ({ dsseEnvelope: _, ...it }) => it),
  spoiled('S04', 'no signature', INVALID, (it) => void it.dsseEnvelope.signatures.splice(0)),
  spoiled('S04', 'two signatures', INVALID, (it) => {
    it.dsseEnvelope.signatures.push({ sig: 'AAAA' });
  }),
  spoiled(
    'S05',
    'a flipped bit',
    UNSIGNED,
    changeSignature((der) => Buffer.from(flipBit(der.toString('base64'), 20), 'base64')),
  ),
  spoiled(
    'S05',
    'a signature that was cut',
    UNSIGNED,
    changeSignature((der) => der.subarray(0, -1)),
  ),
  spoiled(
    'S05',
    'bytes behind the signature',
    UNSIGNED,
    changeSignature((der) => Buffer.concat([der, Buffer.alloc(1)])),
  ),
  spoiled(
    'S05',
    'r and s of zero',
    UNSIGNED,
    changeSignature(() => LOW),
  ),
  spoiled('S06', 'a flipped bit in the payload', UNSIGNED, (it) =>
    setEnvelope(it, { payload: flipBit(it.dsseEnvelope.payload, 40) }),
  ),
  spoiled('S07', 'another payload type than was signed', UNSIGNED, (it) =>
    setEnvelope(it, { payloadType: 'text/plain' }),
  ),
  {
    id: 'S08',
    what: 'a text that was validly signed',
    codes: ['verify/payload-type'],
    offer: async (draft) => {
      const bundle = await signBundle(draft.release, ci, { payloadType: 'text/plain' });
      return attach(draft, encodeJson(bundle), await sign(draft.provenance));
    },
  },
  spoiled('S12', 'a log entry where there is no log', 'verify/tlog-invalid', (it) =>
    setMaterial(it, { tlogEntries: [{}] }),
  ),
  spoiled('S18', '100,000 log entries', 'verify/bundle-too-large', (it) =>
    setMaterial(it, { tlogEntries: many(100_000) }),
  ),
  spoiled('S18', '100,000 timestamps', 'verify/bundle-too-large', (it) =>
    setMaterial(it, { timestampVerificationData: { rfc3161Timestamps: many(100_000) } }),
  ),
  {
    id: 'S18',
    what: `an attestation of more than ${LIMITS.attestationBytesMax} bytes`,
    codes: ['verify/no-attestations', 'verify/bundle-too-large'],
    offer: (draft) => attach(draft, Buffer.alloc(LIMITS.attestationBytesMax + 1, 0x20)),
  },
  hinted('unknown', 'sha256:nobody'),
  hinted('empty', ''),
  hinted('a key that engines obey', '__proto__'),
  spoiled('S19', 'a hint of another trusted key', UNSIGNED, (it) =>
    setMaterial(it, { publicKey: { hint: second.fingerprint } }),
  ),
  ...(
    [
      ['a key after its window', 'verify/key-expired', expired],
      ['a key that was revoked', 'verify/key-revoked', revoked],
    ] as const
  ).map(
    ([what, code, by]): Hostile => ({
      id: 'S20',
      what,
      codes: [code],
      offer: async (draft) =>
        attach(draft, await sign(draft.release, by), await sign(draft.provenance)),
    }),
  ),
  spoiled('S21', 'a certificate where keys are demanded', 'verify/identity-required', (it) => ({
    ...it,
    verificationMaterial: { certificate: { rawBytes: 'AAAA' } },
  })),
  spoiled('S22', 'fields of types that no verifier expects', INVALID, (it) =>
    setMaterial(it, { publicKey: [], tlogEntries: null }),
  ),
];
