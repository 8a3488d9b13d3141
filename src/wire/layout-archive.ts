// A snapshot <-> one OCI layout in one tar archive. What comes back in is what a stranger wrote: only the
// names of a layout are taken, every blob hashes to its name, every blob is named by a manifest of the index,
// and only the tags that were asked for are believed.
//
// SPDX-License-Identifier: Apache-2.0

import { type Digest, digestHex } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { Snapshot, StoredManifest } from '../core/snapshot.ts';
import { escapeAndCut } from '../core/text.ts';
import { checkContent, digestOf } from './content.ts';
import {
  checkLayoutMarker,
  EMPTY_INDEX,
  encodeLayoutIndex,
  LAYOUT_MARKER,
  type LayoutIndex,
  parseLayoutIndex,
  tagsOf,
  withManifest,
} from './layout-index.ts';
import { toDescriptor } from './referrer.ts';
import { parseLinks } from './snapshot.ts';
import { type ArchiveFile, encodeTar, parseTar } from './tar.ts';

const BLOB = /^blobs\/sha256\/[0-9a-f]{64}$/;
const FILES = ['oci-layout', 'index.json'];
const FOLDERS = ['blobs/', 'blobs/sha256/'];

/** Writes the archive: equal snapshots, equal bytes. */
export function encodeArchive(snapshot: Snapshot): Uint8Array {
  const contents = [...snapshot.manifests, ...snapshot.blobs].map(({ bytes }) => ({
    name: `blobs/sha256/${digestHex(digestOf(bytes))}`,
    bytes,
  }));
  const unique = new Map(contents.map((it) => [it.name, it] as const));
  const sorted = [...unique.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  const index = encodeLayoutIndex(indexWith(EMPTY_INDEX, snapshot));
  return encodeTar([
    { name: 'oci-layout', bytes: LAYOUT_MARKER },
    { name: 'index.json', bytes: index },
    ...sorted,
  ]);
}

/** The index with all manifests of a snapshot in it, under its tags. */
export function indexWith(index: LayoutIndex, { manifests, tags }: Snapshot): LayoutIndex {
  return manifests.reduce((before, it) => {
    const { mediaType, digest, bytes, artifactType } = it;
    const type = artifactType === null ? {} : { artifactType };
    const entry = { mediaType, digest, size: bytes.length, ...type };
    const names = tags.filter((one) => one.digest === digest).map((one) => one.tag);
    return (names.length === 0 ? [null] : names).reduce<LayoutIndex>(
      (sum, tag) => withManifest(sum, entry, tag),
      before,
    );
  }, index);
}

/** Reads an archive; tags other than `isTag` allows are a refusal. */
export function parseArchive(bytes: Uint8Array, isTag: (tag: string) => boolean): Result<Snapshot> {
  const files = parseTar(bytes, (name, kind) =>
    kind === 'folder' ? FOLDERS.includes(name) : FILES.includes(name) || BLOB.test(name),
  );
  if (!files.ok) return files;
  const named = new Map(files.value.map((it) => [it.name, it.bytes] as const));
  const marker = checkLayoutMarker(named.get('oci-layout') ?? new Uint8Array());
  if (!marker.ok) return marker;
  const index = parseLayoutIndex(named.get('index.json') ?? new Uint8Array());
  if (!index.ok) return index;
  const tags = tagsOf(index.value);
  const odd = tags.find((it) => !isTag(it.tag));
  if (odd !== undefined) return unsafe(`it names the tag ${escapeAndCut(odd.tag, 100)}`);
  const blobs = new Map(
    files.value.filter((it) => BLOB.test(it.name)).map((it) => [digestIn(it), it.bytes] as const),
  );
  return collect(index.value, tags, blobs);
}

function digestIn({ name }: ArchiveFile): Digest {
  return `sha256:${name.slice('blobs/sha256/'.length)}` as Digest;
}

function collect(
  index: LayoutIndex,
  tags: Snapshot['tags'],
  contents: ReadonlyMap<Digest, Uint8Array>,
): Result<Snapshot> {
  const manifests = new Map<Digest, StoredManifest>();
  const blobs = new Map<Digest, Snapshot['blobs'][number]>();
  for (const entry of index.manifests) {
    const [descriptor] = toDescriptor(entry);
    const bytes = descriptor === undefined ? undefined : contents.get(descriptor.digest);
    if (descriptor === undefined || bytes === undefined) return unsafe('a manifest is not in it');
    const checked = checkContent(bytes, descriptor);
    if (!checked.ok) return checked;
    const links = parseLinks(bytes);
    if (!links.ok) return links;
    const { mediaType, artifactType } = links.value;
    const { digest } = descriptor;
    manifests.set(digest, { mediaType, artifactType, digest, bytes });
    for (const blob of links.value.blobs) {
      const content = contents.get(blob.digest);
      if (content === undefined) return unsafe('something that a manifest names is not in it');
      const whole = checkContent(content, blob);
      if (!whole.ok) return whole;
      blobs.set(blob.digest, { descriptor: blob, bytes: content });
    }
    if (manifests.size > LIMITS.referrersMax * 4) return unsafe('it has too many manifests');
  }
  const known = (digest: Digest) => manifests.has(digest) || blobs.has(digest);
  if (![...contents.keys()].every(known)) return unsafe('it holds what no manifest names');
  return ok({ tags, manifests: [...manifests.values()], blobs: [...blobs.values()] });
}

function unsafe(why: string): Result<never> {
  return err(failure('fetch/archive-unsafe', 'the archive is refused', { causes: [why] }));
}
