// A content address. Only lower-case sha256 is one: an algorithm that is not checked is not a check.
//
// SPDX-License-Identifier: Apache-2.0

import { err, failure, ok, type Result } from './result.ts';

/** `sha256:` and 64 lower-case hexadecimal digits. Made only by {@link parseDigest}. */
export type Digest = string & { readonly __brand: 'Digest' };

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads a digest; anything but canonical sha256 is `resolve/digest-algorithm`. */
export function parseDigest(text: string): Result<Digest> {
  if (DIGEST.test(text)) return ok(text as Digest);
  return err(
    failure(
      'resolve/digest-algorithm',
      `not a lower-case sha256 digest: ${JSON.stringify(text.slice(0, 100))}`,
    ),
  );
}

/** The 64 hexadecimal digits without the algorithm. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** A digest cut for people: `sha256:4f2a91c03b77`. Never compare these. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 'sha256:'.length + 12);
}
