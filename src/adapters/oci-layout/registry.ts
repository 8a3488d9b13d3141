// The registry ports over a directory in OCI image layout, as oras and skopeo read and write it. Same
// bounds and hashes as over the network: a directory is no more trusted than a server.
//
// Referrers are entries of index.json (as oras writes them) or of an index under the fallback tag (as a
// copied registry has them); which of the entries refer to a bundle is read from their manifests.
// One writer at a time (lock.ts); other programs do not honour the lock.
//
// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import { type Candidate, type Descriptor, MEDIA } from '../../core/bundle.ts';
import { type Digest, digestHex } from '../../core/digest.ts';
import { headTag } from '../../core/head.ts';
import { LIMITS } from '../../core/limits.ts';
import { formatReference, type Reference, type Repository } from '../../core/reference.ts';
import { err, failure, invariant, ok, type Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { RegistryPort, RegistryWritePort, SnapshotPort } from '../../ports.ts';
import { type ContentSource, readAttestations, readBundle } from '../../wire/bundle-reader.ts';
import { checkContent, checkDigest, digestOf } from '../../wire/content.ts';
import { readHead } from '../../wire/head.ts';
import { indexWith } from '../../wire/layout-archive.ts';
import {
  checkLayoutMarker,
  EMPTY_INDEX,
  encodeLayoutIndex,
  findTag,
  LAYOUT_MARKER,
  type LayoutIndex,
  listEntries,
  parseLayoutIndex,
  withManifest,
} from '../../wire/layout-index.ts';
import { encodeReferrer, fallbackTag, parseReferrerIndex, subjectOf } from '../../wire/referrer.ts';
import { readTrust, trustTag } from '../../wire/signed-trust.ts';
import { readSnapshot, resolveTags } from '../../wire/snapshot.ts';
import { type ReadCodes, readPlainFile, writeWholeFile } from './files.ts';

const LAYOUT_CODES: ReadCodes = { missing: 'resolve/not-found', tooLarge: 'fetch/layout-invalid' };
const MARKER_BYTES_MAX = 4096;

/** Makes the ports of OCI image layouts. */
export function createLayoutRegistry(): RegistryPort & RegistryWritePort & LayoutPort {
  return {
    resolve: (reference) => resolve(dirOf(reference.repository), reference),
    fetch: (candidate, signal) => {
      const source = layoutSource(dirOf(candidate.reference.repository), signal);
      return readBundle(source, candidate.digest);
    },
    head: async (repository, channel) =>
      readHead(await readTagged(repository, headTag(channel), LIMITS.headBytesMax)),
    trust: async (repository, channel, version) =>
      readTrust(await readTagged(repository, trustTag(channel, version), LIMITS.trustBytesMax)),
    push: (repository, tags, manifest, blobs) =>
      writeAlone(dirOf(repository), async () => {
        const written = await writeContent(dirOf(repository), manifest, blobs);
        if (!written.ok) return written;
        const type = MEDIA.artifact;
        return listManifest(dirOf(repository), manifest, type, tags.length === 0 ? [null] : tags);
      }),
    attach: async (repository, subject, attestation, predicateType) => {
      const size = attestation.length;
      const layer = { mediaType: MEDIA.sigstore, digest: digestOf(attestation), size };
      const referrer = encodeReferrer(subject, layer, attestation, predicateType);
      return writeAlone(dirOf(repository), async () => {
        const written = await writeContent(dirOf(repository), referrer.manifest, referrer.blobs);
        if (!written.ok) return written;
        const type = MEDIA.sigstore;
        const listed = await listManifest(dirOf(repository), referrer.manifest, type, [null]);
        return listed.ok ? ok(layer.digest) : listed;
      });
    },
    list: async (repository, subject) => {
      const read = await readAttestations(layoutSource(dirOf(repository)), subject);
      return read.ok ? ok(read.value.found.map((one) => one.layer.digest)) : read;
    },
    snapshot: async (repository, tags) => {
      const dir = dirOf(repository);
      const named = await resolveTags(tags, (tag) =>
        resolve(dir, { repository, tag, digest: null }),
      );
      return named.ok ? readSnapshot(layoutSource(dir), named.value) : named;
    },
    restore: (repository, snapshot) =>
      writeAlone(dirOf(repository), () => restore(dirOf(repository), snapshot)),
  };
}

/** Writes whole artifacts too. */
interface LayoutPort extends SnapshotPort {
  restore(repository: Repository, snapshot: Snapshot): Promise<Result<void>>;
}

// Content first, the index last: a layout that is torn here names nothing that is not there.
async function restore(dir: string, snapshot: Snapshot): Promise<Result<void>> {
  for (const [at, { bytes }] of snapshot.manifests.entries()) {
    const written = await writeContent(dir, bytes, at === 0 ? snapshot.blobs : []);
    if (!written.ok) return written;
  }
  const read = await readIndex(dir);
  const isNew = !read.ok && read.error.code === 'resolve/not-found';
  if (!read.ok && !isNew) return read;
  const index = indexWith(read.ok ? read.value : EMPTY_INDEX, snapshot);
  return writeWholeFile(join(dir, 'index.json'), encodeLayoutIndex(index));
}

async function readTagged(
  repository: Repository,
  tag: string,
  bytesMax: number,
): Promise<Result<Uint8Array>> {
  const dir = dirOf(repository);
  const found = await resolve(dir, { repository, tag, digest: null });
  return found.ok ? readManifest(dir, found.value.digest, bytesMax) : found;
}

// The lock needs a database; readers do not.
async function writeAlone<T>(dir: string, write: () => Promise<Result<T>>): Promise<Result<T>> {
  return (await import('./lock.ts')).writeAlone(dir, write);
}

function dirOf(repository: Repository): string {
  invariant(repository.kind === 'oci-layout', 'this registry serves OCI layouts only');
  return repository.dir;
}

async function resolve(dir: string, reference: Reference): Promise<Result<Candidate>> {
  if (reference.digest !== null) return ok({ reference, digest: reference.digest });
  const name = formatReference(reference);
  if (reference.tag === null) {
    return err(failure('resolve/reference-invalid', `${name} has neither a tag nor a digest`));
  }
  const index = await readIndex(dir);
  if (!index.ok) return index;
  const found = findTag(index.value, reference.tag);
  if (found === null) return err(failure('resolve/not-found', `the layout has no ${name}`));
  return ok({ reference, digest: found.digest });
}

async function readIndex(dir: string): Promise<Result<LayoutIndex>> {
  const marker = await readPlainFile(dir, ['oci-layout'], MARKER_BYTES_MAX, LAYOUT_CODES);
  if (!marker.ok) return marker;
  const checked = checkLayoutMarker(marker.value);
  if (!checked.ok) return checked;
  const bytesMax = LIMITS.referrerIndexBytesMax;
  const bytes = await readPlainFile(dir, ['index.json'], bytesMax, LAYOUT_CODES);
  return bytes.ok ? parseLayoutIndex(bytes.value) : bytes;
}

function layoutSource(dir: string, signal?: AbortSignal): ContentSource {
  const total = AbortSignal.timeout(LIMITS.fetchTimeoutMs);
  const deadline = signal === undefined ? total : AbortSignal.any([total, signal]);
  return {
    manifest: (digest, bytesMax) => readManifest(dir, digest, bytesMax),
    blob: async (descriptor) => {
      const codes: ReadCodes = {
        missing: 'fetch/blob-missing',
        tooLarge: 'fetch/blob-size-exceeded',
      };
      const bytes = await readBlob(dir, descriptor.digest, descriptor.size, codes);
      return bytes.ok ? checkContent(bytes.value, descriptor) : bytes;
    },
    referrers: (subject) => listReferrers(dir, subject, deadline),
    hasTag: async (tag) => {
      const index = await readIndex(dir);
      return index.ok && findTag(index.value, tag) !== null;
    },
  };
}

function readBlob(
  dir: string,
  digest: Digest,
  bytesMax: number,
  codes: ReadCodes,
): Promise<Result<Uint8Array>> {
  return readPlainFile(dir, ['blobs', 'sha256', digestHex(digest)], bytesMax, codes);
}

async function readManifest(
  dir: string,
  digest: Digest,
  bytesMax: number,
): Promise<Result<Uint8Array>> {
  const codes: ReadCodes = {
    missing: 'resolve/not-found',
    tooLarge: 'fetch/manifest-too-large',
  };
  const bytes = await readBlob(dir, digest, bytesMax, codes);
  return bytes.ok ? checkDigest(bytes.value, digest) : bytes;
}

async function listReferrers(
  dir: string,
  subject: Digest,
  deadline: AbortSignal,
): Promise<Result<readonly Descriptor[]>> {
  const index = await readIndex(dir);
  if (!index.ok) return index;
  const found: Descriptor[] = [];
  const fallback = findTag(index.value, fallbackTag(subject));
  if (fallback !== null) {
    const bytes = await readManifest(dir, fallback.digest, LIMITS.referrerIndexBytesMax);
    if (!bytes.ok) return bytes;
    const listed = parseReferrerIndex(bytes.value);
    if (!listed.ok) return listed;
    found.push(...listed.value);
  }
  for (const entry of listEntries(index.value)) {
    if (deadline.aborted) return err(failure('fetch/timeout', `reading ${dir} took too long`));
    if (entry.mediaType !== MEDIA.manifest) continue;
    const bytes = await readManifest(dir, entry.digest, LIMITS.attestationBytesMax);
    // What cannot be read may be the one that is needed: listed, so that its reader says why.
    if (!bytes.ok || subjectOf(bytes.value) === subject) found.push(entry);
  }
  return ok(found);
}

async function writeContent(
  dir: string,
  manifest: Uint8Array,
  blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[],
): Promise<Result<void>> {
  const marked = await writeWholeFile(join(dir, 'oci-layout'), LAYOUT_MARKER);
  if (!marked.ok) return marked;
  for (const { descriptor, bytes } of blobs) {
    const path = join(dir, 'blobs', 'sha256', digestHex(descriptor.digest));
    const written = await writeWholeFile(path, bytes);
    if (!written.ok) return written;
  }
  return writeWholeFile(join(dir, 'blobs', 'sha256', digestHex(digestOf(manifest))), manifest);
}

async function listManifest(
  dir: string,
  manifest: Uint8Array,
  artifactType: string,
  tags: readonly (string | null)[],
): Promise<Result<Digest>> {
  const read = await readIndex(dir);
  const isNew = !read.ok && read.error.code === 'resolve/not-found';
  if (!read.ok && !isNew) return read;
  const digest = digestOf(manifest);
  const entry = { mediaType: MEDIA.manifest, digest, size: manifest.length, artifactType };
  const index = tags.reduce(
    (sum, tag) => withManifest(sum, entry, tag),
    read.ok ? read.value : EMPTY_INDEX,
  );
  const written = await writeWholeFile(join(dir, 'index.json'), encodeLayoutIndex(index));
  return written.ok ? ok(digest) : written;
}
