// Archives as files, and the artifacts of one as a registry in memory: an archive is verified before anything of
// it touches the disk.
//
// SPDX-License-Identifier: Apache-2.0

import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { headTag } from '../../core/head.ts';
import { LIMITS } from '../../core/limits.ts';
import { formatReference } from '../../core/reference.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { RegistryPort } from '../../ports.ts';
import { type ContentSource, readBundle } from '../../wire/bundle-reader.ts';
import { checkContent } from '../../wire/content.ts';
import { readHead } from '../../wire/head.ts';
import { encodeArchive, parseArchive } from '../../wire/layout-archive.ts';
import { subjectOf } from '../../wire/referrer.ts';
import { readTrust, trustTag } from '../../wire/signed-trust.ts';

const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;
const FILE_MODE = 0o644;
// Headers and padding of as many entries as there may be.
const FILE_BYTES_MAX = LIMITS.archiveBytesMax + LIMITS.archiveEntriesMax * 1024;

/** Reads and checks an archive file; tags other than `isTag` allows are a refusal. */
export async function readArchiveFile(
  path: string,
  isTag: (tag: string) => boolean,
): Promise<Result<Snapshot>> {
  try {
    const file = await open(path, READ_FLAGS);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > FILE_BYTES_MAX) {
        const causes = [stat.isFile() ? `it has ${stat.size} bytes` : 'it is not a plain file'];
        return err(failure('fetch/archive-unsafe', 'the archive is refused', { causes }));
      }
      return parseArchive(await file.readFile(), isTag);
    } finally {
      await file.close();
    }
  } catch (cause) {
    return unreadable(path, cause);
  }
}

/** Writes an archive to a new file; answers its size. */
export async function writeArchiveFile(path: string, snapshot: Snapshot): Promise<Result<number>> {
  const bytes = encodeArchive(snapshot);
  try {
    const file = await open(path, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await file.close();
    }
    return ok(bytes.length);
  } catch (cause) {
    return unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): Result<never> {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  const hints = code === 'EEXIST' ? ['name a file that is not there yet'] : [];
  const what = `${path} cannot be read or written`;
  return err(failure('cli/file-unreadable', what, { causes: [code], hints }));
}

/** The artifacts of a snapshot as a registry that can be read, whatever repository is named. */
export function createSnapshotRegistry(snapshot: Snapshot): RegistryPort {
  const source = memorySource(snapshot);
  const readTagged = async (name: string, bytesMax: number) => {
    const named = snapshot.tags.find(({ tag }) => tag === name);
    return named === undefined ? missing() : source.manifest(named.digest, bytesMax);
  };
  return {
    resolve: async (reference) => {
      const found = snapshot.tags.filter(({ tag }) => tag === reference.tag);
      const [only] = found;
      if (only !== undefined && found.length === 1) return ok({ reference, digest: only.digest });
      const what = `the archive has no ${formatReference(reference)}`;
      return err(failure('resolve/not-found', what));
    },
    fetch: (candidate) => readBundle(source, candidate.digest),
    head: async (_repository, channel) =>
      readHead(await readTagged(headTag(channel), LIMITS.headBytesMax)),
    trust: async (_repository, channel, version) =>
      readTrust(await readTagged(trustTag(channel, version), LIMITS.trustBytesMax)),
  };
}

function missing(): Result<never> {
  return err(failure('resolve/not-found', 'it is not in the archive'));
}

function memorySource({ manifests, blobs }: Snapshot): ContentSource {
  return {
    manifest: async (digest, bytesMax) => {
      const found = manifests.find((it) => it.digest === digest);
      if (found === undefined) return missing();
      if (found.bytes.length <= bytesMax) return ok(found.bytes);
      return err(failure('fetch/manifest-too-large', 'a manifest is larger than its cap'));
    },
    blob: async (descriptor) => {
      const found = blobs.find((it) => it.descriptor.digest === descriptor.digest);
      if (found !== undefined) return checkContent(found.bytes, descriptor);
      return err(failure('fetch/blob-missing', 'it is not in the archive'));
    },
    referrers: async (subject) =>
      ok(
        manifests
          .filter((it) => subjectOf(it.bytes) === subject)
          .map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes.length })),
      ),
  };
}
