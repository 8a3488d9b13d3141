// A repository of a registry as a content source, through oras. Only `resolve`, `manifest fetch`,
// `blob fetch` and `discover`: nothing here unpacks, and every byte is hashed by us.
//
// Referrers come from two places, because registries have one, the other or both: the API, and the
// fallback tag, which is an index like any other. Only "this registry has no such API" and "no such
// tag" mean that a place is empty; every other error is an error.
//
// SPDX-License-Identifier: Apache-2.0

import type { Descriptor } from '../../core/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { formatReference, formatRepository, type Repository } from '../../core/reference.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { ContentSource } from '../../wire/bundle-reader.ts';
import { checkContent, checkDigest, otherBytes } from '../../wire/content.ts';
import { fallbackTag, parseReferrerIndex, parseReferrerTree } from '../../wire/referrer.ts';
import type { OrasOptions, RunOras } from './run.ts';

const API_UNSUPPORTED = /failed to query referrers API: unsupported/;

/** A registry repository; the signal is the deadline of the whole operation. */
export interface RemoteRepository {
  readonly run: RunOras;
  readonly repository: Repository;
  /** Flags that every command needs for this host. */
  readonly flags: readonly string[];
  readonly signal: AbortSignal;
}

/** Transport flags for a host. Plain HTTP is off unless the host is listed, also for localhost. */
export function transportFlags(options: OrasOptions, repository: Repository): readonly string[] {
  const plain = repository.kind === 'registry' && options.plainHttpHosts.includes(repository.host);
  const ca = options.caFile === undefined ? [] : [`--ca-file=${options.caFile}`];
  return [`--plain-http=${plain}`, ...ca];
}

/** The content of a remote repository. */
export function remoteSource(remote: RemoteRepository): ContentSource {
  return {
    manifest: (digest, bytesMax) => fetchManifest(remote, digest, bytesMax),
    blob: (descriptor) => fetchBlob(remote, descriptor),
    referrers: (subject) => listReferrers(remote, subject),
    hasTag: (tag) => hasTag(remote, tag),
  };
}

async function fetchManifest(
  remote: RemoteRepository,
  digest: Digest,
  bytesMax: number,
): Promise<Result<Uint8Array>> {
  const bytes = await fetchManifestBy(remote, { tag: null, digest }, bytesMax);
  if (bytes.ok) return checkDigest(bytes.value, digest);
  if (bytes.error.code !== 'fetch/digest-mismatch') return bytes;
  // oras has hashed them first; what is wrong is told in one way, whoever saw it.
  return err(otherBytes(digest, bytes.error.causes));
}

/** The manifest under a tag, whatever it hashes to: for what is signed by itself. */
export function fetchTagged(
  remote: RemoteRepository,
  tag: string,
  bytesMax: number,
): Promise<Result<Uint8Array>> {
  return fetchManifestBy(remote, { tag, digest: null }, bytesMax);
}

function fetchManifestBy(
  remote: RemoteRepository,
  selector: { readonly tag: string | null; readonly digest: Digest | null },
  bytesMax: number,
): Promise<Result<Uint8Array>> {
  const reference = formatReference({ repository: remote.repository, ...selector });
  return remote.run({
    what: `fetching the manifest ${reference}`,
    args: ['manifest', 'fetch', ...remote.flags, '--output', '-', '--', reference],
    bytesMax,
    tooMuch: 'fetch/manifest-too-large',
    signal: remote.signal,
  });
}

async function fetchBlob(
  remote: RemoteRepository,
  descriptor: Descriptor,
): Promise<Result<Uint8Array>> {
  const { digest, size } = descriptor;
  const reference = formatReference({ repository: remote.repository, tag: null, digest });
  const bytes = await remote.run({
    what: `fetching the blob ${reference}`,
    args: ['blob', 'fetch', ...remote.flags, '--no-tty', '--output', '-', '--', reference],
    bytesMax: size,
    tooMuch: 'fetch/blob-size-exceeded',
    judgesBytes: true,
    signal: remote.signal,
  });
  if (bytes.ok) return checkContent(bytes.value, descriptor);
  if (bytes.error.code !== 'resolve/not-found') return bytes;
  const what = `the registry does not have ${reference}`;
  return err(failure('fetch/blob-missing', what, { causes: bytes.error.causes }));
}

// What cannot be asked is not there: the answer only chooses between two codes of one refusal.
async function hasTag(remote: RemoteRepository, tag: string): Promise<boolean> {
  const found = await fetchManifestBy(remote, { tag, digest: null }, LIMITS.manifestBytesMax);
  return found.ok || found.error.code === 'fetch/manifest-too-large';
}

async function listReferrers(
  remote: RemoteRepository,
  subject: Digest,
): Promise<Result<readonly Descriptor[]>> {
  const [api, tag] = await Promise.all([listByApi(remote, subject), listByTag(remote, subject)]);
  if (!api.ok) return api;
  if (!tag.ok) return tag;
  return ok([...api.value, ...tag.value]);
}

async function listByApi(
  remote: RemoteRepository,
  subject: Digest,
): Promise<Result<readonly Descriptor[]>> {
  const reference = formatReference({
    repository: remote.repository,
    tag: null,
    digest: subject,
  });
  const printed = await remote.run({
    what: `listing what refers to ${reference}`,
    args: [
      ...['discover', ...remote.flags, '--no-tty', '--distribution-spec=v1.1-referrers-api'],
      ...['--depth=1', '--format=json', '--', reference],
    ],
    bytesMax: LIMITS.referrerIndexBytesMax,
    tooMuch: 'fetch/too-many-referrers',
    signal: remote.signal,
  });
  if (printed.ok) return parseReferrerTree(printed.value);
  return printed.error.causes.some((cause) => API_UNSUPPORTED.test(cause)) ? ok([]) : printed;
}

/** The list that registries without the API keep under a tag; answers none when there is no such tag. */
export async function listByTag(
  remote: RemoteRepository,
  subject: Digest,
): Promise<Result<readonly Descriptor[]>> {
  const selector = { tag: fallbackTag(subject), digest: null };
  const bytes = await fetchManifestBy(remote, selector, LIMITS.referrerIndexBytesMax);
  if (bytes.ok) return parseReferrerIndex(bytes.value);
  if (bytes.error.code === 'resolve/not-found') return ok([]);
  if (bytes.error.code !== 'fetch/manifest-too-large') return bytes;
  const what = `the list of ${formatRepository(remote.repository)} is over its bound`;
  return err(failure('fetch/too-many-referrers', what));
}
