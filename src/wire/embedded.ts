// Small content inside the manifest that names it: the `data` member of an OCI descriptor (image-spec
// 1.1, descriptor.md). One request then brings a whole small bundle, and one a whole attestation.
//
// Invariant: embedded bytes have the size and digest of their descriptor or the manifest is refused, so
// a reader that ignores `data` and fetches the blob reads the same bytes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Descriptor } from '../core/bundle.ts';
import { type Digest, shortDigest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, type Result } from '../core/result.ts';
import { checkContent } from './content.ts';

/** A blob with what it is called. */
export interface NamedBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** Embedded content by its digest. */
export type Embedded = ReadonlyMap<Digest, Uint8Array>;

/** Chooses what a manifest carries: every small blob, in order, as long as there is room. */
export function chooseEmbedded(blobs: readonly NamedBlob[]): Embedded {
  const chosen = new Map<Digest, Uint8Array>();
  let room: number = LIMITS.embeddedBytesMax;
  for (const { descriptor, bytes } of blobs) {
    if (bytes.length > LIMITS.embeddedBlobBytesMax || bytes.length > room) continue;
    if (chosen.has(descriptor.digest)) continue;
    chosen.set(descriptor.digest, bytes);
    room -= bytes.length;
  }
  return chosen;
}

/** The `data` member of a descriptor, as an object to spread; none when the blob is not embedded. */
export function dataOf(
  descriptor: Pick<Descriptor, 'digest'>,
  embedded: Embedded,
): { readonly data?: string } {
  const bytes = embedded.get(descriptor.digest);
  return bytes === undefined ? {} : { data: Buffer.from(bytes).toString('base64') };
}

/** Reads a `data` member: standard base64 (RFC 4648, section 4) of exactly what the descriptor names. */
export function readData(data: string, descriptor: Descriptor): Result<Uint8Array> {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') === data) return checkContent(new Uint8Array(bytes), descriptor);
  const what = `the data of ${shortDigest(descriptor.digest)} is not base64`;
  return err(failure('fetch/descriptor-invalid', what));
}
