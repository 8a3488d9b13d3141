// Signature, key and statement with real cryptography: what is tied to what, and what is not believed.
// The ids are those of the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { createSign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PREDICATE } from '../../src/core/bundle.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { encodeReleaseStatement } from '../../src/wire/statement.ts';
import {
  type BundleJson,
  encodeJson,
  makeSignedBundle,
  makeStatements,
  PAYLOAD_TYPE,
  signBundle,
  trustIn,
} from '../support/signed-bundle.ts';
import {
  changeSignature,
  firstCode,
  flipBit,
  ONLY_RELEASE,
  second,
  setEnvelope,
  setMaterial,
  signer,
  spoiled,
  stranger,
  trust,
  verdictOf,
} from '../support/verdicts.ts';

describe('signature and key', () => {
  test.each<[string, (bundle: BundleJson) => unknown]>([
    [
      'S05 a flipped bit in the signature',
      changeSignature((der) => Buffer.from(flipBit(der.toString('base64'), 20), 'base64')),
    ],
    ['S05 a truncated signature', changeSignature((der) => der.subarray(0, -1))],
    [
      'S05 DER with trailing bytes',
      changeSignature((der) => Buffer.concat([der, Buffer.alloc(1)])),
    ],
    ['S05 r and s of zero', changeSignature(() => Buffer.from('3006020100020100', 'hex'))],
    [
      'S05 a length in long form',
      changeSignature((der) => Buffer.concat([Buffer.from([0x30, 0x81]), der.subarray(1)])),
    ],
    [
      'S06 a flipped bit in the payload',
      (it) => setEnvelope(it, { payload: flipBit(it.dsseEnvelope.payload, 40) }),
    ],
    ['S07 another payload type', (it) => setEnvelope(it, { payloadType: 'text/plain' })],
    [
      'a hint of another trusted key',
      (it) => setMaterial(it, { publicKey: { hint: second.fingerprint } }),
    ],
  ])('%s is refused', async (_name, spoil) => {
    expect(await spoiled(spoil)).toBe('verify/signature-invalid');
  });

  test.each([
    ['unknown', 'sha256:nobody'],
    ['empty', ''],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
  ])('S19 a hint that is %s is refused', async (_name, hint) => {
    const code = await spoiled((it) => setMaterial(it, { publicKey: { hint } }));
    expect(code).toBe('verify/key-unknown');
  });

  test('a stranger is unknown, and with the hint of a trusted key the signature does not hold', async () => {
    const { release, ...statements } = makeStatements();
    const own = await signBundle(release, stranger);
    const lying = await signBundle(release, stranger, { hint: signer.fingerprint });
    expect(firstCode(encodeJson(own), { release, ...statements })).toBe('verify/key-unknown');
    expect(firstCode(encodeJson(lying), { release, ...statements })).toBe(
      'verify/signature-invalid',
    );
  });

  test('S20 a revoked key and a key outside its window are refused although their signatures hold', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const revoked = {
      ...trust,
      revoked: { digests: [], keys: [signer.fingerprint], identities: [] },
    };
    expect(verdictOf(bytes, revoked)[0]).toBe('verify/key-revoked');
    const over: TrustPolicy = {
      ...trust,
      policies: trust.policies.map((scope) => ({
        ...scope,
        release: {
          ...scope.release,
          anyOf: scope.release.anyOf.map((it) => ({ ...it, notAfter: '2026-01-02T00:00:00.000Z' })),
        },
      })),
    };
    expect(verdictOf(bytes, over)[0]).toBe('verify/key-expired');
  });

  test('joining the fields of the envelope otherwise does not keep the signature', async () => {
    const { release } = makeStatements();
    // The same bytes without DSSE's lengths: a signature over them is none over the encoding.
    const sig = createSign('sha256').update(`${PAYLOAD_TYPE}${release}`).sign(signer.privateKey);
    const code = await spoiled(changeSignature(() => sig));
    expect(code).toBe('verify/signature-invalid');
  });

  test('a trust policy whose fingerprint is of another key is a failure', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const [first] = trustIn({ ...signer, fingerprint: stranger.fingerprint }).policies;
    expect(first).toBeDefined();
    if (first === undefined) return;
    expect(verdictOf(bytes, { ...trust, policies: [first] })).toEqual(['trust/key-invalid']);
  });
});

describe('the statement', () => {
  const signed = async (payload: unknown, payloadType = PAYLOAD_TYPE) => {
    const bytes = payload instanceof Uint8Array ? payload : encodeJson(payload);
    return firstCode(encodeJson(await signBundle(bytes, signer, { payloadType })));
  };
  const good = () => JSON.parse(new TextDecoder().decode(makeStatements().release));

  test('S08 a text that was validly signed is refused', async () => {
    expect(await signed(makeStatements().release, 'text/plain')).toBe('verify/payload-type');
  });

  test.each<[string, (statement: Record<string, unknown>) => unknown, ErrorCode]>([
    [
      'P01 _type v0.1',
      (it) => ({ ...it, _type: 'https://in-toto.io/Statement/v0.1' }),
      'verify/statement-type',
    ],
    ['P01 no _type', ({ _type: _, ...it }) => it, 'verify/statement-type'],
    ['P13 an array', () => [], 'verify/statement-invalid'],
    ['P13 no JSON', () => Buffer.from('hello'), 'verify/statement-invalid'],
    ['P13 invalid UTF-8', () => Buffer.from([0x7b, 0xff, 0x7d]), 'verify/statement-invalid'],
    ['deep JSON', () => Buffer.from('['.repeat(1000)), 'verify/statement-invalid'],
    ['duplicate keys', () => Buffer.from('{"_type":"a","_type":"b"}'), 'verify/statement-invalid'],
    ['an unknown field', (it) => ({ ...it, extra: 1 }), 'verify/statement-invalid'],
    ['P02 no subject', (it) => ({ ...it, subject: [] }), 'verify/subject-mismatch'],
    [
      'P02 a subject without sha256',
      (it) => ({ ...it, subject: [{ digest: { sha1: 'a' } }] }),
      'verify/subject-mismatch',
    ],
    [
      'P02 an upper-case digest',
      (it) => {
        const hex = makeStatements().bytes.digest.slice(7).toUpperCase();
        return { ...it, subject: [{ digest: { sha256: hex } }] };
      },
      'verify/subject-mismatch',
    ],
    [
      'P02 the digest of a layer',
      (it) => {
        const hex = makeStatements().bytes.files[0]?.digest.slice(7);
        return { ...it, subject: [{ digest: { sha256: hex } }] };
      },
      'verify/subject-mismatch',
    ],
    [
      'P03 an SBOM',
      (it) => ({ ...it, predicateType: 'https://spdx.dev/Document' }),
      'verify/predicate-type',
    ],
    [
      'a release without descriptor',
      (it) => ({ ...it, predicate: {} }),
      'verify/statement-invalid',
    ],
  ])('%s is refused', async (_name, spoil, code) => {
    expect(await signed(spoil(good()))).toBe(code);
  });

  test('F02 a release of another bundle does not admit this one', async () => {
    const other = makeStatements({ name: 'other' });
    expect(await signed(other.release)).toBe('verify/subject-mismatch');
  });

  test('a release that says another place about this digest is refused', async () => {
    const { bytes, content } = makeStatements();
    const lie = encodeReleaseStatement({ ...content.descriptor, channel: 'staging' }, bytes.digest);
    expect(await signed(lie)).toBe('verify/release-mismatch');
  });

  test('P09 an external parameter that nobody knows is refused', async () => {
    const { bytes, release, provenance } = makeStatements();
    const statement = JSON.parse(new TextDecoder().decode(provenance));
    statement.predicate.buildDefinition.externalParameters.flags = '--evil';
    const attestations = [
      encodeJson(await signBundle(release, signer)),
      encodeJson(await signBundle(encodeJson(statement), signer)),
    ];
    expect(verdictOf({ ...bytes, attestations })[0]).toBe('verify/external-parameters');
  });

  test('a bare "signed" statement counts only where the trust policy lists it', async () => {
    const statements = makeStatements();
    const digest = { sha256: statements.bytes.digest.slice(7) };
    const statement = { ...good(), subject: [{ digest }], predicateType: PREDICATE.cosignSign };
    const bundle = encodeJson(await signBundle(encodeJson(statement), signer));
    const bytes = { ...statements.bytes, attestations: [bundle] };
    const listing: TrustPolicy = {
      ...ONLY_RELEASE,
      policies: ONLY_RELEASE.policies.map((it) => ({
        ...it,
        release: { ...it.release, predicateTypes: [PREDICATE.cosignSign] },
      })),
    };
    expect(verdictOf(bytes, ONLY_RELEASE)[0]).toBe('verify/predicate-type');
    expect(verdictOf(bytes, listing)).toEqual([]);
  });
});
