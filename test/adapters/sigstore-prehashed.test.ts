// Signatures over digests against the same signatures over bytes: OpenSSL is the oracle, in both directions.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { holdsOverDigest } from '../../src/adapters/sigstore/prehashed.ts';
import type { Digest } from '../../src/core/digest.ts';
import { makeChance } from '../fuzz/mutate.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SEED = 20_261_123;

const digestOf = (bytes: Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;

/** DER of an INTEGER, minimal; `pad` puts bytes of zero before it. */
function integer(value: bigint, pad = 0): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const zeros = Buffer.alloc((bytes[0] ?? 0) >= 0x80 ? pad + 1 : pad);
  const body = Buffer.concat([zeros, bytes]);
  return Buffer.concat([Buffer.of(2, body.length), body]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** Asks both; they must say the same. */
function ask(bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const mine = holdsOverDigest(digestOf(bytes), key, signature);
  const theirs = verify('sha256', bytes, key, signature);
  expect(mine, Buffer.from(signature).toString('hex')).toBe(theirs);
  return mine;
}

test('what OpenSSL signs holds; another digest, key or bit does not, to both', () => {
  const chance = makeChance(SEED);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (let round = 0; round < 12; round += 1) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const bytes = Buffer.from(`artifact ${round}`);
    const signature = sign('sha256', bytes, privateKey);
    expect(ask(bytes, publicKey, signature)).toBe(true);
    expect(ask(bytes, other.publicKey, signature)).toBe(false);
    expect(ask(Buffer.from('another'), publicKey, signature)).toBe(false);
    const flipped = Buffer.from(signature);
    const at = chance.below(flipped.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << chance.below(8));
    expect(ask(bytes, publicKey, flipped)).toBe(false);
  }
});

test('numbers at the edges of the group are refused by both', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = Buffer.from('x');
  for (const r of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n]) {
    for (const s of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n]) {
      expect(ask(bytes, publicKey, sequence(integer(r), integer(s)))).toBe(false);
    }
  }
});

test('the second of the two numbers may be negated: both know the signature by its first', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = Buffer.from('x');
  const raw = sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const number = (part: Buffer) => BigInt(`0x${part.toString('hex')}`);
  const [r, s] = [number(raw.subarray(0, 32)), number(raw.subarray(32))];
  expect(ask(bytes, publicKey, sequence(integer(r), integer(s)))).toBe(true);
  expect(ask(bytes, publicKey, sequence(integer(r), integer(ORDER - s)))).toBe(true);
  expect(ask(bytes, publicKey, sequence(integer(ORDER - r), integer(s)))).toBe(false);
});

test('other spellings of a signature are refused', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = Buffer.from('x');
  const raw = sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const number = (part: Buffer) => BigInt(`0x${part.toString('hex')}`);
  const [r, s] = [number(raw.subarray(0, 32)), number(raw.subarray(32))];
  const good = sequence(integer(r), integer(s));
  const body = good.subarray(2);
  const spelled: Readonly<Record<string, Buffer>> = {
    'bytes after it': Buffer.concat([good, Buffer.of(0)]),
    'a third number': sequence(integer(r), integer(s), integer(1n)),
    'one number': sequence(integer(r)),
    'a padded number': sequence(integer(r, 1), integer(s)),
    'a long length': Buffer.concat([Buffer.of(0x30, 0x81, body.length), body]),
    'a set': Buffer.concat([Buffer.of(0x31), good.subarray(1)]),
    'no DER': raw,
    'a cut': good.subarray(0, -1),
    nothing: Buffer.alloc(0),
  };
  for (const [name, signature] of Object.entries(spelled)) {
    expect(holdsOverDigest(digestOf(bytes), publicKey, signature), name).toBe(false);
  }
});

test.each([
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['Ed25519', generateKeyPairSync('ed25519')],
] as const)('a key on %s is refused', (_name, { publicKey, privateKey }) => {
  const bytes = Buffer.from('x');
  const signature = sign(null, bytes, privateKey);
  expect(holdsOverDigest(digestOf(bytes), publicKey, signature)).toBe(false);
});
