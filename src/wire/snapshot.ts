// Reads artifacts with all that belongs to them: config and layers of each tagged manifest, and everything that
// refers to it, whatever its type. Nothing is left out for being unknown: what comes later (channel heads,
// trust) travels by the same rule. What cannot be read is a refusal, because a copy that lacks a signature
// would be refused far from where it could be repaired.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { Descriptor } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { Snapshot, StoredManifest } from '../core/snapshot.ts';
import type { ContentSource } from './bundle-reader.ts';
import { toDescriptor } from './referrer.ts';
import { parseStrictJson } from './strict-json.ts';
import { fitShape } from './zod-words.ts';

const linksSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().max(255),
  artifactType: z.string().max(255).optional(),
  config: z.unknown(),
  layers: z.array(z.unknown()).max(LIMITS.layersMax),
});

/** What a manifest names. */
export interface ManifestLinks {
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly blobs: readonly Descriptor[];
}

/** Reads what any artifact manifest names; an index, and a descriptor that is none, refuse. */
export function parseLinks(bytes: Uint8Array): Result<ManifestLinks> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.manifestBytesMax, plainIntegers: true });
  const parsed = json.ok ? fitShape(linksSchema, json.value) : null;
  if (!parsed?.success) {
    return err(failure('fetch/manifest-invalid', 'it is not the manifest of an artifact'));
  }
  const { mediaType, artifactType, config, layers } = parsed.data;
  const named = [config, ...layers];
  const blobs = named.flatMap(toDescriptor);
  if (blobs.length !== named.length) {
    return err(failure('fetch/descriptor-invalid', 'a manifest names something unreadable'));
  }
  return ok({ mediaType, artifactType: artifactType ?? null, blobs });
}

/** Finds what the tags name. */
export async function resolveTags(
  tags: readonly { readonly tag: string; readonly isOptional: boolean }[],
  resolve: (tag: string) => Promise<Result<{ readonly digest: Digest }>>,
): Promise<Result<Snapshot['tags']>> {
  const found: { tag: string; digest: Digest }[] = [];
  for (const { tag, isOptional } of tags) {
    const resolved = await resolve(tag);
    if (resolved.ok) found.push({ tag, digest: resolved.value.digest });
    else if (!isOptional || resolved.error.code !== 'resolve/not-found') return resolved;
  }
  return ok(found);
}

/** Reads the tagged manifests and what refers to them. */
export async function readSnapshot(
  source: ContentSource,
  tags: Snapshot['tags'],
): Promise<Result<Snapshot>> {
  const found = new Map<Digest, StoredManifest>();
  const blobs = new Map<Digest, Snapshot['blobs'][number]>();
  for (const { digest } of tags) {
    const listed = await source.referrers(digest);
    if (!listed.ok) return listed;
    const all = [digest, ...listed.value.map((it) => it.digest)];
    if (all.length > LIMITS.referrersMax + 1) {
      const what = `${all.length - 1} artifacts refer to one`;
      return err(failure('fetch/too-many-referrers', what));
    }
    for (const one of all.filter((it) => !found.has(it))) {
      const read = await readArtifact(source, one, found, blobs);
      if (!read.ok) return read;
    }
  }
  return ok({ tags, manifests: [...found.values()], blobs: [...blobs.values()] });
}

async function readArtifact(
  source: ContentSource,
  digest: Digest,
  manifests: Map<Digest, StoredManifest>,
  blobs: Map<Digest, Snapshot['blobs'][number]>,
): Promise<Result<void>> {
  const bytes = await source.manifest(digest, LIMITS.manifestBytesMax);
  if (!bytes.ok) return bytes;
  const links = parseLinks(bytes.value);
  if (!links.ok) return links;
  const { mediaType, artifactType } = links.value;
  manifests.set(digest, { mediaType, artifactType, digest, bytes: bytes.value });
  for (const descriptor of links.value.blobs) {
    if (blobs.has(descriptor.digest)) continue;
    const total = [...blobs.values()].reduce((sum, it) => sum + it.bytes.length, descriptor.size);
    if (total > LIMITS.archiveBytesMax) {
      const what = `the artifacts have more than ${LIMITS.archiveBytesMax} bytes`;
      return err(failure('fetch/bundle-too-large', what));
    }
    const blob = await source.blob(descriptor);
    if (!blob.ok) return blob;
    blobs.set(descriptor.digest, { descriptor, bytes: blob.value });
  }
  return ok(undefined);
}
