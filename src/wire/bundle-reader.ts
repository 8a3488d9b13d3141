// The order in which a bundle is read from any content-addressed place: manifest, config, files, then
// the referrers and their attestations. The place answers bytes that it has hashed and capped; this
// file knows which bytes belong together and how much there may be. What a manifest carries is not
// asked for.
//
// Invariants: nothing is read that the bounds of core/limits.ts exclude; a list of attestations that
// could not be read is a failure, never "none"; a single bad candidate is recorded and skipped.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes, Descriptor } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { LIMITS } from '../core/limits.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { isUnread } from '../core/verify/unread.ts';
import type { Embedded } from './embedded.ts';
import { parseManifest } from './manifest.ts';
import { legacyTags, parseReferrer } from './referrer.ts';

/** Where bytes come from: a registry or an OCI layout. */
export interface ContentSource {
  /** A manifest by digest: at most `bytesMax`, hashed. */
  manifest(digest: Digest, bytesMax: number): Promise<Result<Uint8Array>>;
  /** A blob by descriptor: size and digest checked. */
  blob(descriptor: Descriptor): Promise<Result<Uint8Array>>;
  /** All manifests that are said to refer to `subject`. */
  referrers(subject: Digest): Promise<Result<readonly Descriptor[]>>;
  /** Whether there is something under a tag; places without tags leave it out. */
  hasTag?(tag: string): Promise<boolean>;
}

/** The attestations of a bundle and why others were left out. */
export interface Attestations {
  readonly found: readonly { readonly layer: Descriptor; readonly bytes: Uint8Array }[];
  readonly skipped: readonly Failure[];
}

const CONCURRENT_READS = 4;

/** Reads everything that is needed to verify a bundle offline. */
export async function readBundle(
  source: ContentSource,
  digest: Digest,
): Promise<Result<BundleBytes>> {
  const manifestBytes = await source.manifest(digest, LIMITS.manifestBytesMax);
  if (!manifestBytes.ok) return manifestBytes;
  const manifest = parseManifest(manifestBytes.value);
  if (!manifest.ok) return manifest;
  // The config first and alone: a bundle with a bad one costs one request, not all.
  const blob = (one: Descriptor) => carried(manifest.value.embedded, one) ?? source.blob(one);
  const config = await blob(manifest.value.config);
  if (!config.ok) return config;
  const unique = uniqueByDigest(manifest.value.files);
  const blobs = await mapInOrder(unique, async (file) => blob(file));
  const files: { digest: Digest; bytes: Uint8Array }[] = [];
  for (const [at, read] of blobs.entries()) {
    if (!read.ok) return read;
    const file = unique[at];
    if (file !== undefined) files.push({ digest: file.digest, bytes: read.value });
  }
  const attestations = await readAttestations(source, digest);
  if (!attestations.ok) return attestations;
  const { found, skipped } = attestations.value;
  // F09: what could not be read is not the same as what is not there.
  const unread = skipped.find(isUnread);
  if (found.length === 0 && unread !== undefined) return err(whyNone(skipped, unread));
  const legacy = found.length > 0 ? null : await findLegacy(source, digest);
  if (legacy !== null) return err(legacy);
  return ok({
    digest,
    manifest: manifestBytes.value,
    config: config.value,
    files,
    attestations: found.map((one) => one.bytes),
    skipped,
  });
}

/** Reads the sigstore bundles that are attached to `subject`, in the order of the list. */
export async function readAttestations(
  source: ContentSource,
  subject: Digest,
): Promise<Result<Attestations>> {
  const listed = await source.referrers(subject);
  if (!listed.ok) return listed;
  const referrers = uniqueByDigest(listed.value);
  const examined = referrers.slice(0, LIMITS.referrersMax);
  const read = await mapInOrder(examined, (one) => readReferrer(source, one, subject));
  const found = [];
  const skipped: Failure[] = [];
  for (const one of read) {
    if (!one.ok) skipped.push(one.error);
    else if (one.value !== null) found.push(one.value);
  }
  if (referrers.length > examined.length) {
    const causes = [`${referrers.length} are listed; ${examined.length} were examined`];
    skipped.push(
      failure('fetch/too-many-referrers', 'not all attestations were examined', { causes }),
    );
  }
  return ok({ found, skipped });
}

async function readReferrer(
  source: ContentSource,
  referrer: Descriptor,
  subject: Digest,
): Promise<Result<Attestations['found'][number] | null>> {
  const manifest = await source.manifest(referrer.digest, LIMITS.attestationBytesMax);
  if (!manifest.ok) return manifest;
  const parsed = parseReferrer(manifest.value, subject);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'other') return ok(null);
  const { layer, bytes: embedded } = parsed.value;
  if (embedded !== null) return ok({ layer, bytes: embedded });
  const bytes = await source.blob(layer);
  return bytes.ok ? ok({ layer, bytes: bytes.value }) : bytes;
}

function carried(embedded: Embedded, { digest }: Descriptor): Result<Uint8Array> | null {
  const bytes = embedded.get(digest);
  return bytes === undefined ? null : ok(bytes);
}

// F11: asked only when there is nothing to verify by. It is another code for the same refusal, so that whoever
// signed in the old form is told; what stands under the tag is never read.
async function findLegacy(source: ContentSource, digest: Digest): Promise<Failure | null> {
  for (const tag of legacyTags(digest)) {
    if ((await source.hasTag?.(tag)) !== true) continue;
    return failure('verify/legacy-signature', 'the bundle is signed only in a form of before', {
      causes: [`there is a tag ${tag}, and no sigstore bundle`],
      hints: ['sign it again: `warder publish`, or cosign 3, which attaches sigstore bundles'],
    });
  }
  return null;
}

function whyNone(skipped: readonly Failure[], unread: Failure): Failure {
  if (unread.code === 'fetch/too-many-referrers' || unread.code === 'fetch/timeout') return unread;
  return failure('fetch/attestation-unavailable', 'no attestation of the bundle could be read', {
    causes: skipped.flatMap((one) => [`${one.code}: ${one.message}`, ...one.causes]),
    hints: unread.hints,
  });
}

function uniqueByDigest<T extends Descriptor>(descriptors: readonly T[]): readonly T[] {
  const seen = new Set<Digest>();
  return descriptors.filter((one) => !seen.has(one.digest) && seen.add(one.digest));
}

/** Like `Promise.all` over a map, with few at a time; the answers keep the order of the items. */
async function mapInOrder<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const answers: R[] = [];
  let next = 0;
  async function work(): Promise<void> {
    while (next < items.length) {
      const at = next;
      next += 1;
      const item = items[at] as T;
      answers[at] = await read(item);
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_READS }, work));
  return answers;
}
