// The OCI manifest of a bundle: bytes <-> the descriptors in it. Stricter than OCI: only the fields
// that Warder writes are read, everything else is refused, because a field that one reader ignores and
// another obeys (`urls`, an unpack annotation) makes one digest mean two things. `data` cannot: its
// bytes are hashed (embedded.ts).
//
// Invariant: what `encodeManifest` writes, `parseManifest` reads back equal; equal input, equal bytes.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { type BundleFile, type Descriptor, MEDIA } from '../core/bundle.ts';
import { pathProblem } from '../core/bundle-path.ts';
import { type Digest, parseDigest } from '../core/digest.ts';
import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { dataOf, type Embedded, readData } from './embedded.ts';
import { parseStrictJson } from './strict-json.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape, quote } from './zod-words.ts';

/** What a bundle manifest says. */
export interface Manifest {
  readonly config: Descriptor;
  /** In the order of the manifest. */
  readonly files: readonly BundleFile[];
}

/** A manifest as it was read. */
export interface ReadManifest extends Manifest {
  /** Content that it carries: hashed, and the same as the blob of that digest. */
  readonly embedded: Embedded;
}

const TITLE = 'org.opencontainers.image.title';
const UNPACK = 'io.deis.oras.content.unpack';
const FILE_TYPES: readonly string[] = [MEDIA.source, MEDIA.ir, MEDIA.tests];
const EMPTY_DIGEST = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

const descriptorSchema = z.strictObject({
  mediaType: z.string().max(255),
  digest: z.string().max(200),
  size: z.number().int().nonnegative(),
  data: z.string().optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

const manifestSchema = z.strictObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MEDIA.manifest),
  artifactType: z.literal(MEDIA.artifact),
  config: z.unknown(),
  layers: z.array(z.unknown()),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** Reads the manifest of a bundle. The caller has hashed the bytes. */
export function parseManifest(bytes: Uint8Array): Result<ReadManifest> {
  const json = parseStrictJson(bytes, {
    bytesMax: LIMITS.manifestBytesMax,
    plainIntegers: true,
  });
  if (!json.ok) {
    const code = json.error.kind === 'too-large' ? 'manifest-too-large' : 'manifest-invalid';
    return refuse(`fetch/${code}`, 'the manifest is not strict JSON', [json.error.detail]);
  }
  const typed = checkType(json.value);
  if (!typed.ok) return typed;
  const shape = fitShape(manifestSchema, json.value);
  if (!shape.success) {
    return refuse('fetch/manifest-invalid', 'not a bundle manifest', zodCauses(shape.error));
  }
  if (shape.data.layers.length > LIMITS.layersMax) {
    const count = `${shape.data.layers.length} layers; at most ${LIMITS.layersMax}`;
    return refuse('fetch/layer-count', 'the manifest has too many layers', [count]);
  }
  const embedded = new Map<Digest, Uint8Array>();
  const config = parseConfigDescriptor(shape.data.config, embedded);
  if (!config.ok) return config;
  const files: BundleFile[] = [];
  for (const layer of shape.data.layers) {
    const file = parseLayer(layer, embedded);
    if (!file.ok) return file;
    files.push(file.value);
  }
  const checked = checkFileSet(files);
  return checked.ok ? ok({ config: config.value, files, embedded }) : checked;
}

/** Kinds first, so that an index or an image is named as what it is, not as a list of bad fields. */
function checkType(value: unknown): Result<void> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('fetch/manifest-invalid', 'the manifest is not an object', []);
  }
  const { schemaVersion, mediaType, artifactType } = value as Record<string, unknown>;
  if (schemaVersion !== 2 || mediaType !== MEDIA.manifest || 'manifests' in value) {
    const what = `schemaVersion ${quote(schemaVersion)}, mediaType ${quote(mediaType)}`;
    return refuse('fetch/manifest-type', 'not an OCI image manifest', [what]);
  }
  if (artifactType !== MEDIA.artifact) {
    const what = `artifactType ${quote(artifactType)}`;
    return refuse('fetch/artifact-type', 'the artifact is not a Warder bundle', [what]);
  }
  return ok(undefined);
}

function parseConfigDescriptor(
  value: unknown,
  embedded: Map<Digest, Uint8Array>,
): Result<Descriptor> {
  const parsed = parseDescriptorFields(value, 'config', embedded);
  if (!parsed.ok) return parsed;
  const { annotations, ...descriptor } = parsed.value;
  if (annotations !== undefined) {
    return refuse('fetch/descriptor-invalid', 'the config carries annotations', []);
  }
  if (descriptor.mediaType !== MEDIA.config || descriptor.digest === EMPTY_DIGEST) {
    const what = `${quote(descriptor.mediaType)} ${descriptor.digest}`;
    return refuse('fetch/config-invalid', 'the manifest has no bundle config', [what]);
  }
  if (descriptor.size > LIMITS.configBytesMax) {
    return refuse('fetch/bundle-too-large', 'the config is larger than the cap', []);
  }
  return ok(descriptor);
}

function parseLayer(value: unknown, embedded: Map<Digest, Uint8Array>): Result<BundleFile> {
  const parsed = parseDescriptorFields(value, 'a layer', embedded);
  if (!parsed.ok) return parsed;
  const { annotations = {}, ...descriptor } = parsed.value;
  if (Object.hasOwn(annotations, UNPACK)) {
    return refuse('fetch/unpack-forbidden', 'a layer asks to be unpacked', []);
  }
  if (!FILE_TYPES.includes(descriptor.mediaType)) {
    const what = `media type ${quote(descriptor.mediaType)}`;
    return refuse('fetch/layer-set', 'a layer is of no known kind', [what]);
  }
  const { [TITLE]: path, ...others } = annotations;
  const problem = path === undefined ? 'it is missing' : pathProblem(path);
  if (path === undefined || problem !== null) {
    return refuse('fetch/path-unsafe', `the path of a layer is refused: ${quote(path)}`, [
      problem ?? '',
    ]);
  }
  if (Object.keys(others).length > 0) {
    return refuse('fetch/descriptor-invalid', 'a layer carries unknown annotations', []);
  }
  return ok({ ...descriptor, path });
}

function parseDescriptorFields(
  value: unknown,
  what: string,
  embedded: Map<Digest, Uint8Array>,
): Result<Descriptor & { readonly annotations?: Readonly<Record<string, string>> }> {
  const parsed = fitShape(descriptorSchema, value);
  if (!parsed.success) {
    const causes = zodCauses(parsed.error);
    return refuse('fetch/descriptor-invalid', `the descriptor of ${what} is invalid`, causes);
  }
  const digest = parseDigest(parsed.data.digest);
  if (!digest.ok) return digest;
  const { mediaType, size, annotations, data } = parsed.data;
  const descriptor = { mediaType, digest: digest.value, size };
  if (data !== undefined) {
    const bytes = readData(data, descriptor);
    if (!bytes.ok) return bytes;
    embedded.set(descriptor.digest, bytes.value);
  }
  return ok(annotations === undefined ? descriptor : { ...descriptor, annotations });
}

function checkFileSet(files: readonly BundleFile[]): Result<void> {
  const folded = new Set(files.map((file) => file.path.toLowerCase()));
  // Compared without case: two names that one system takes for one file are one path.
  if (folded.size !== files.length) {
    return refuse('fetch/layer-set', 'two layers have one path', []);
  }
  const irs = files.filter((file) => file.mediaType === MEDIA.ir).length;
  const sources = files.filter((file) => file.mediaType === MEDIA.source).length;
  if (irs !== 1 || sources === 0) {
    const what = `${irs} compiled policies and ${sources} policy sources; 1 and at least 1 are needed`;
    return refuse('fetch/layer-set', 'the layers are not those of a bundle', [what]);
  }
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > LIMITS.bundleBytesMax || files.some((file) => file.size > LIMITS.fileBytesMax)) {
    return refuse('fetch/bundle-too-large', 'the files are larger than the cap', [
      `${bytes} bytes`,
    ]);
  }
  return ok(undefined);
}

function refuse(code: ErrorCode, message: string, causes: readonly string[]): Result<never> {
  return err(failure(code, message, { causes }));
}

/** Writes the manifest of a bundle: canonical JSON, so that equal bundles have equal digests. */
export function encodeManifest(manifest: Manifest, embedded: Embedded = new Map()): Uint8Array {
  const { mediaType, digest, size } = manifest.config;
  return toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: MEDIA.artifact,
    config: { mediaType, digest, size, ...dataOf(manifest.config, embedded) },
    layers: manifest.files.map((file) => ({
      mediaType: file.mediaType,
      digest: file.digest,
      size: file.size,
      ...dataOf(file, embedded),
      annotations: { [TITLE]: file.path },
    })),
  });
}
