// Whether an ECDSA signature on P-256 holds over a digest. Node verifies ECDSA over bytes only, and the
// protocol of sigstore clients names artifacts by digest too. Keys come out of Node, which refuses points
// that are not on the curve. Hosts never come here: they verify over bytes, with Node.
//
// SPDX-License-Identifier: Apache-2.0

import type { KeyObject } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { type Digest, digestHex } from '../../core/digest.ts';

const UNCOMPRESSED = 0x04;

/** True when the key signed what hashes to the digest; false for other keys and malformed signatures. */
export function holdsOverDigest(digest: Digest, key: KeyObject, signature: Uint8Array): boolean {
  const { crv, x, y } = key.export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined) return false;
  const point = Buffer.concat([
    Buffer.of(UNCOMPRESSED),
    ...[x, y].map((it) => Buffer.from(it, 'base64url')),
  ]);
  try {
    // The digest is there already, and OpenSSL takes the higher of both values of s as well.
    const options = { prehash: false, format: 'der', lowS: false } as const;
    return p256.verify(signature, Buffer.from(digestHex(digest), 'hex'), point, options);
  } catch {
    // What is not DER of two numbers in range throws.
    return false;
  }
}
