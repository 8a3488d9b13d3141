// Content addresses computed by us, never taken from whoever sent the bytes.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { Descriptor } from '../core/bundle.ts';
import { type Digest, shortDigest } from '../core/digest.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';

/** The SHA-256 address of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** Passes bytes on only if they are the ones that the digest names. */
export function checkDigest(bytes: Uint8Array, digest: Digest): Result<Uint8Array> {
  if (digestOf(bytes) === digest) return ok(bytes);
  return err(otherBytes(digest, [`they hash to ${digestOf(bytes)}`]));
}

/** Something else was sent than the digest names. */
export function otherBytes(digest: Digest, causes: readonly string[]): Failure {
  return failure('fetch/digest-mismatch', `other bytes were sent for ${shortDigest(digest)}`, {
    causes,
  });
}

/** Passes bytes on only if size and digest are those of the descriptor; the size is told first. */
export function checkContent(
  bytes: Uint8Array,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
): Result<Uint8Array> {
  const name = shortDigest(descriptor.digest);
  if (bytes.length > descriptor.size) {
    return err(
      failure('fetch/blob-size-exceeded', `${name} is longer than ${descriptor.size} bytes`),
    );
  }
  if (bytes.length < descriptor.size) {
    const causes = [`${bytes.length} of ${descriptor.size} bytes`];
    return err(failure('fetch/blob-truncated', `${name} ends early`, { causes }));
  }
  return checkDigest(bytes, descriptor.digest);
}
