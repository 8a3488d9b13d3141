// Writes of a registry through oras: blobs by digest, manifests by digest, tags last. After each write
// the registry is asked again, because an answer of 201 is not yet content.
//
// Referrers on registries without the API live in one index under a tag, which every writer reads,
// changes and writes back: two writers at once lose entries. So an attachment is listed back, and an
// entry that is missing is put into the index again, a bounded number of times.
//
// SPDX-License-Identifier: Apache-2.0

import { type Descriptor, MEDIA } from '../../core/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import { formatReference, parseReference } from '../../core/reference.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { ContentSource } from '../../wire/bundle-reader.ts';
import { toCanonicalJson } from '../../wire/canonical-json.ts';
import { digestOf } from '../../wire/content.ts';
import type { NamedBlob } from '../../wire/embedded.ts';
import { encodeReferrer, fallbackTag } from '../../wire/referrer.ts';
import { listByTag, type RemoteRepository } from './source.ts';

const ATTACH_ATTEMPTS_MAX = 5;
const OUTPUT_BYTES_MAX = 64 * 1024;

/** Pushes blobs, then the manifest by digest, then its tags. */
export async function pushContent(
  remote: RemoteRepository,
  tags: readonly string[],
  manifest: Uint8Array,
  blobs: readonly NamedBlob[],
): Promise<Result<Digest>> {
  for (const blob of blobs) {
    const pushed = await pushBlob(remote, blob);
    if (!pushed.ok) return pushed;
  }
  const digest = digestOf(manifest);
  const byDigest = { repository: remote.repository, tag: null, digest };
  const pushed = await pushManifest(remote, formatReference(byDigest), manifest, MEDIA.manifest);
  if (!pushed.ok) return pushed;
  for (const tag of tags) {
    // Through the grammar: a tag comes from configuration and becomes an operand.
    const reference = parseReference(
      formatReference({ repository: remote.repository, tag, digest: null }),
    );
    if (!reference.ok) return reference;
    const name = formatReference(reference.value);
    const tagged = await pushManifest(remote, name, manifest, MEDIA.manifest);
    if (!tagged.ok) return tagged;
  }
  return ok(digest);
}

async function pushBlob(remote: RemoteRepository, blob: NamedBlob): Promise<Result<void>> {
  const { digest, size } = blob.descriptor;
  const reference = formatReference({ repository: remote.repository, tag: null, digest });
  const pushed = await remote.run({
    what: `pushing the blob ${reference}`,
    args: ['blob', 'push', ...remote.flags, '--no-tty', `--size=${size}`, '--', reference, '-'],
    input: blob.bytes,
    bytesMax: OUTPUT_BYTES_MAX,
    tooMuch: 'fetch/registry-unavailable',
    signal: remote.signal,
  });
  return pushed.ok ? ok(undefined) : pushed;
}

async function pushManifest(
  remote: RemoteRepository,
  reference: string,
  manifest: Uint8Array,
  mediaType: string,
): Promise<Result<void>> {
  const flags = [...remote.flags, `--media-type=${mediaType}`];
  const pushed = await remote.run({
    what: `pushing the manifest ${reference}`,
    args: ['manifest', 'push', ...flags, '--', reference, '-'],
    input: manifest,
    bytesMax: OUTPUT_BYTES_MAX,
    tooMuch: 'fetch/registry-unavailable',
    signal: remote.signal,
  });
  return pushed.ok ? ok(undefined) : pushed;
}

/** Pushes one attestation as a referrer and waits until the registry lists it. */
export async function attachAttestation(
  remote: RemoteRepository,
  source: ContentSource,
  subject: Descriptor,
  attestation: Uint8Array,
  predicateType: string,
): Promise<Result<Digest>> {
  const layer = {
    mediaType: MEDIA.sigstore,
    digest: digestOf(attestation),
    size: attestation.length,
  };
  const referrer = encodeReferrer(subject, layer, attestation, predicateType);
  const pushed = await pushContent(remote, [], referrer.manifest, referrer.blobs);
  if (!pushed.ok) return pushed;
  for (let attempt = 1; attempt <= ATTACH_ATTEMPTS_MAX; attempt += 1) {
    const listed = await source.referrers(subject.digest);
    if (!listed.ok) return listed;
    if (listed.value.some((one) => one.digest === pushed.value)) return ok(layer.digest);
    const entry = {
      mediaType: MEDIA.manifest,
      digest: pushed.value,
      size: referrer.manifest.length,
    };
    const listedAgain = await addToFallbackIndex(remote, subject.digest, entry);
    if (!listedAgain.ok) return listedAgain;
  }
  return err(
    failure('publish/attestation-lost', `${predicateType} was attached but is not listed`, {
      causes: [`the list lost it ${ATTACH_ATTEMPTS_MAX} times; somebody else may be attaching`],
      hints: ['publish again: what is there already is kept'],
    }),
  );
}

async function addToFallbackIndex(
  remote: RemoteRepository,
  subject: Digest,
  entry: Descriptor,
): Promise<Result<void>> {
  const listed = await listByTag(remote, subject);
  if (!listed.ok) return listed;
  const manifests = [...listed.value, { ...entry, artifactType: MEDIA.sigstore }];
  const index = toCanonicalJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests });
  const reference = { repository: remote.repository, tag: fallbackTag(subject), digest: null };
  return pushManifest(remote, formatReference(reference), index, MEDIA.index);
}
