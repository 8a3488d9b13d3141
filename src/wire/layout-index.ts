// The two JSON files of an OCI image layout: `oci-layout` and `index.json`. Entries that other programs
// wrote are kept as they are; only tags and new entries are changed.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { Descriptor } from '../core/bundle.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { toDescriptor } from './referrer.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const MARKER_BYTES_MAX = 4096;

const entrySchema = z.looseObject({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(entrySchema),
});
const markerSchema = z.looseObject({ imageLayoutVersion: z.string().regex(/^1\./) });

/** The list of manifests of a layout. */
export type LayoutIndex = z.infer<typeof indexSchema>;

type Entry = z.infer<typeof entrySchema>;

/** The content of the file `oci-layout`. */
export const LAYOUT_MARKER = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');

/** A layout with nothing in it. */
export const EMPTY_INDEX: LayoutIndex = { schemaVersion: 2, manifests: [] };

/** Checks the file `oci-layout`. */
export function checkLayoutMarker(bytes: Uint8Array): Result<void> {
  const json = parseStrictJson(bytes, { bytesMax: MARKER_BYTES_MAX });
  if (json.ok && fitShape(markerSchema, json.value).success) return ok(undefined);
  return refuse('the file oci-layout does not name version 1', []);
}

/** Reads `index.json`. */
export function parseLayoutIndex(bytes: Uint8Array): Result<LayoutIndex> {
  const json = parseStrictJson(bytes, { bytesMax: LIMITS.referrerIndexBytesMax });
  if (!json.ok) return refuse('index.json is not strict JSON', [json.error.detail]);
  const parsed = fitShape(indexSchema, json.value);
  return parsed.success
    ? ok(parsed.data)
    : refuse('index.json is not an index', zodCauses(parsed.error));
}

function refuse(message: string, causes: readonly string[]): Result<never> {
  return err(failure('fetch/layout-invalid', message, { causes }));
}

/** Writes `index.json`. */
export function encodeLayoutIndex(index: LayoutIndex): Uint8Array {
  return toCanonicalJson(index);
}

/** The manifest that a tag names; two entries with one tag are a broken layout, so none. */
export function findTag(index: LayoutIndex, tag: string): Descriptor | null {
  const named = index.manifests.filter((entry) => entry.annotations?.[REF_NAME] === tag);
  return named.length === 1 ? (named.flatMap(toDescriptor)[0] ?? null) : null;
}

/** All manifests that the index lists. */
export function listEntries(index: LayoutIndex): readonly Descriptor[] {
  return index.manifests.flatMap(toDescriptor);
}

/** Every tag of the index and what it names. */
export function tagsOf(
  index: LayoutIndex,
): readonly { readonly tag: string; readonly digest: Descriptor['digest'] }[] {
  return index.manifests.flatMap((entry) => {
    const tag = entry.annotations?.[REF_NAME];
    return tag === undefined ? [] : toDescriptor(entry).map(({ digest }) => ({ tag, digest }));
  });
}

/** The index with a manifest in it, and the tag, if any, moved to it; what had the tag stays listed. */
export function withManifest(
  index: LayoutIndex,
  manifest: Descriptor & { readonly artifactType?: string },
  tag: string | null,
): LayoutIndex {
  const released = index.manifests.map((entry) =>
    tag !== null && entry.annotations?.[REF_NAME] === tag ? withoutTag(entry) : entry,
  );
  const entry: Entry =
    tag === null ? { ...manifest } : { ...manifest, annotations: { [REF_NAME]: tag } };
  const others = released.filter((one) => !isBareEntryOf(one, manifest));
  const there = tag === null && others.some((one) => one.digest === manifest.digest);
  return { ...index, manifests: there ? others : [...others, entry] };
}

function isBareEntryOf(entry: Entry, manifest: Descriptor): boolean {
  return entry.digest === manifest.digest && entry.annotations?.[REF_NAME] === undefined;
}

function withoutTag(entry: Entry): Entry {
  const { [REF_NAME]: _tag, ...annotations } = entry.annotations ?? {};
  const { annotations: _all, ...bare } = entry;
  return Object.keys(annotations).length === 0 ? bare : { ...bare, annotations };
}
