// The evidence of admissions: which blobs make one, written so that it can be read back byte for byte.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../../core/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { EvidenceIndex } from '../../wire/state.ts';
import { type BlobFolder, digestOf } from './blobs.ts';

/** Keeps every blob of a bundle and answers the list that puts them together again. */
export function writeEvidence(folder: BlobFolder, bundle: BundleBytes): Result<EvidenceIndex> {
  const attestations = bundle.attestations.map((bytes) => ({ digest: digestOf(bytes), bytes }));
  const config = { digest: digestOf(bundle.config), bytes: bundle.config };
  const manifest = { digest: bundle.digest, bytes: bundle.manifest };
  for (const { digest, bytes } of [manifest, config, ...bundle.files, ...attestations]) {
    const written = folder.write(digest, bytes);
    if (!written.ok) return written;
  }
  return ok({
    manifest: manifest.digest,
    config: config.digest,
    files: bundle.files.map((it) => it.digest),
    attestations: attestations.map((it) => it.digest),
  });
}

/** Reads a bundle back; `state/corrupt` when a blob is gone or is not what its name says. */
export function readEvidence(folder: BlobFolder, index: EvidenceIndex): Result<BundleBytes> {
  const blobs = new Map<Digest, Uint8Array>();
  for (const digest of namesOf(index)) {
    const read = folder.read(digest, LIMITS.manifestBytesMax);
    if (!read.ok) return read;
    if (read.value === null) return err(failure('state/corrupt', `the blob ${digest} is gone`));
    blobs.set(digest, read.value);
  }
  const take = (digest: Digest): Uint8Array => blobs.get(digest) ?? new Uint8Array();
  return ok({
    digest: index.manifest,
    manifest: take(index.manifest),
    config: take(index.config),
    files: index.files.map((digest) => ({ digest, bytes: take(digest) })),
    attestations: index.attestations.map(take),
  });
}

/** Every blob of one admission. */
export function namesOf(index: EvidenceIndex): readonly Digest[] {
  return [index.manifest, index.config, ...index.files, ...index.attestations];
}
