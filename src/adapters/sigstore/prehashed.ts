// Whether an ECDSA signature on P-256 holds over a digest. Node verifies ECDSA over bytes only, and the
// protocol of sigstore clients names artifacts by digest too. Textbook arithmetic in whole numbers (FIPS
// 186-5, 6.4.2): everything in it is public, so its time tells nothing. Keys come out of Node, which refuses
// points that are not on the curve. Hosts never come here: they verify over bytes, with Node.
//
// SPDX-License-Identifier: Apache-2.0

import type { KeyObject } from 'node:crypto';
import { type Digest, digestHex } from '../../core/digest.ts';

const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const BASE: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
};
const INTEGER_BYTES_MAX = 33;

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

/** True when the key signed what hashes to the digest; false for other keys and malformed signatures. */
export function holdsOverDigest(digest: Digest, key: KeyObject, signature: Uint8Array): boolean {
  const point = readPoint(key);
  const numbers = readSignature(signature);
  if (point === null || numbers === null) return false;
  const { r, s } = numbers;
  if (r < 1n || r >= ORDER || s < 1n || s >= ORDER) return false;
  const inverse = invert(s, ORDER);
  const hashed = BigInt(`0x${digestHex(digest)}`);
  const sum = addMultiples(
    BASE,
    modulo(hashed * inverse, ORDER),
    point,
    modulo(r * inverse, ORDER),
  );
  return sum !== null && modulo(sum.x, ORDER) === r;
}

function readPoint(key: KeyObject): Point | null {
  const { crv, x, y } = key.export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined) return null;
  const number = (text: string) => toNumber(Buffer.from(text, 'base64url'));
  return { x: number(x), y: number(y) };
}

/** SEQUENCE of two INTEGERs in DER, nothing else: minimal, positive, no bytes after. */
function readSignature(der: Uint8Array): { readonly r: bigint; readonly s: bigint } | null {
  // Two numbers of 33 bytes stay below 128, so that every length is one byte.
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const first = readInteger(der, 2);
  const second = first === null ? null : readInteger(der, first.end);
  if (first === null || second === null || second.end !== der.length) return null;
  return { r: first.value, s: second.value };
}

function readInteger(
  der: Uint8Array,
  at: number,
): { readonly value: bigint; readonly end: number } | null {
  const length = der[at + 1] ?? 0;
  if (der[at] !== 0x02 || length < 1 || length > INTEGER_BYTES_MAX) return null;
  const end = at + 2 + length;
  if (end > der.length) return null;
  const bytes = der.subarray(at + 2, end);
  const [head = 0, next = 0] = bytes;
  const isPadded = head === 0 && length > 1 && next < 0x80;
  return head >= 0x80 || isPadded ? null : { value: toNumber(bytes), end };
}

/** one * times + other * otherTimes, bit by bit; null is the point at infinity. */
function addMultiples(one: Point, times: bigint, other: Point, otherTimes: bigint): Point | null {
  const both = add(one, other);
  let sum: Point | null = null;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = add(sum, sum);
    const [hasOne, hasOther] = [(times >> bit) & 1n, (otherTimes >> bit) & 1n];
    if (hasOne === 1n && hasOther === 1n) sum = add(sum, both);
    else if (hasOne === 1n) sum = add(sum, one);
    else if (hasOther === 1n) sum = add(sum, other);
  }
  return sum;
}

function add(one: Point | null, other: Point | null): Point | null {
  if (one === null) return other;
  if (other === null) return one;
  if (one.x === other.x && modulo(one.y + other.y, FIELD) === 0n) return null;
  const slope =
    one.x === other.x
      ? modulo((3n * one.x * one.x - 3n) * invert(2n * one.y, FIELD), FIELD)
      : modulo((other.y - one.y) * invert(modulo(other.x - one.x, FIELD), FIELD), FIELD);
  const x = modulo(slope * slope - one.x - other.x, FIELD);
  return { x, y: modulo(slope * (one.x - x) - one.y, FIELD) };
}

/** The inverse modulo a prime; the value is not a multiple of it. */
function invert(value: bigint, prime: bigint): bigint {
  let [low, high] = [modulo(value, prime), prime];
  let [mine, theirs] = [1n, 0n];
  while (low > 1n) {
    const whole = high / low;
    [low, high] = [high - whole * low, low];
    [mine, theirs] = [theirs - whole * mine, mine];
  }
  return modulo(mine, prime);
}

function modulo(value: bigint, prime: bigint): bigint {
  const rest = value % prime;
  return rest < 0n ? rest + prime : rest;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}
