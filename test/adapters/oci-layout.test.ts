// The OCI layout adapter on real directories, and against oras as a reader and a writer of them.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { type Candidate, MEDIA } from '../../src/core/bundle.ts';
import { type Digest, digestHex } from '../../src/core/digest.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { digestOf } from '../../src/wire/content.ts';
import { type BundleContent, makeBundleContent } from '../support/bundle-content.ts';
import { unwrap } from '../support/result.ts';
import { ORAS_PATH } from '../support/tools.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-layout-'));
});
afterEach(() => rm(dir, { recursive: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const registry = createLayoutRegistry();

function repository() {
  return { kind: 'oci-layout', dir: join(dir, 'layout') } as const;
}

async function publish(version = 1): Promise<{ bundle: BundleContent; candidate: Candidate }> {
  const bundle = makeBundleContent('registry.example.com/acme/p', version);
  unwrap(await registry.push(repository(), ['prod'], bundle.manifest, bundle.blobs));
  const reference = { repository: repository(), tag: 'prod', digest: null };
  return { bundle, candidate: unwrap(await registry.resolve(reference)) };
}

const subjectOf = (bundle: BundleContent, digest: Digest) => ({
  mediaType: MEDIA.manifest,
  digest,
  size: bundle.manifest.length,
});

const blobPath = (digest: Digest) => join(dir, 'layout/blobs/sha256', digestHex(digest));

function oras(...args: string[]): string {
  return execFileSync(ORAS_PATH, args, { encoding: 'utf8', cwd: dir, stdio: 'pipe' });
}

describe('an OCI layout', () => {
  it('gives back the bundle and the attestations that were written, byte for byte', async () => {
    const { bundle, candidate } = await publish();
    const subject = subjectOf(bundle, candidate.digest);
    const attestations = ['{"a":1}', '{"b":2}'].map(bytesOf);
    for (const one of attestations) {
      unwrap(await registry.attach(repository(), subject, one, 'https://example.com/a'));
    }
    const fetched = unwrap(await registry.fetch(candidate));
    expect(fetched.manifest).toEqual(bundle.manifest);
    expect(fetched.config).toEqual(bundle.blobs[0]?.bytes);
    expect(fetched.attestations).toEqual(attestations);
    expect(unwrap(await registry.list(repository(), candidate.digest))).toEqual(
      attestations.map(digestOf),
    );
  });

  it('loses nothing when many attach at once', async () => {
    const { bundle, candidate } = await publish();
    const subject = subjectOf(bundle, candidate.digest);
    const attestations = Array.from({ length: 12 }, (_, n) => bytesOf(`{"a":${n}}`));
    const attached = attestations.map((one) =>
      registry.attach(repository(), subject, one, 'https://example.com/a'),
    );
    for (const one of await Promise.all(attached)) unwrap(one);
    const listed = unwrap(await registry.list(repository(), candidate.digest));
    expect(new Set(listed)).toEqual(new Set(attestations.map(digestOf)));
  });

  it('is written by one process at a time: the second is told after a while', async () => {
    const { bundle } = await publish();
    const held = new DatabaseSync(join(dir, 'layout/.warder-lock'));
    held.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const pushed = await registry.push(repository(), ['x'], bundle.manifest, bundle.blobs);
    held.close();
    expect(pushed).toMatchObject({ ok: false, error: { code: 'state/locked' } });
    unwrap(await registry.push(repository(), ['x'], bundle.manifest, bundle.blobs));
  });

  it('can be read by oras: tag, manifest and referrers', async () => {
    const { bundle, candidate } = await publish();
    const subject = subjectOf(bundle, candidate.digest);
    unwrap(await registry.attach(repository(), subject, bytesOf('{}'), 'https://example.com/a'));
    expect(oras('resolve', '--oci-layout', 'layout:prod').trim()).toBe(candidate.digest);
    const args = ['discover', '--oci-layout', '--format=json', `layout@${candidate.digest}`];
    expect(JSON.parse(oras(...args)).referrers).toMatchObject([{ artifactType: MEDIA.sigstore }]);
  });

  it('reads what oras copied, with its referrers', async () => {
    const { bundle, candidate } = await publish();
    const subject = subjectOf(bundle, candidate.digest);
    const attestation = bytesOf('{"x":1}');
    unwrap(await registry.attach(repository(), subject, attestation, 'https://example.com/a'));
    oras(
      'cp',
      '-r',
      '--no-tty',
      '--from-oci-layout',
      '--to-oci-layout',
      'layout:prod',
      'copy:prod',
    );
    const copy = { kind: 'oci-layout', dir: join(dir, 'copy') } as const;
    const reference = { repository: copy, tag: 'prod', digest: null };
    const fetched = unwrap(await registry.fetch(unwrap(await registry.resolve(reference))));
    expect(fetched.digest).toBe(candidate.digest);
    expect(fetched.attestations).toEqual([attestation]);
  });

  it('moves a tag to a new version and keeps the old one by digest', async () => {
    const old = await publish(1);
    const young = await publish(2);
    expect(young.candidate.digest).not.toBe(old.candidate.digest);
    expect(unwrap(await registry.fetch(old.candidate)).manifest).toEqual(old.bundle.manifest);
  });

  it('writing the same bundle twice changes no byte of the index', async () => {
    await publish();
    const before = await readFile(join(dir, 'layout/index.json'));
    await publish();
    expect(await readFile(join(dir, 'layout/index.json'))).toEqual(before);
  });
});

describe('a damaged or hostile OCI layout', () => {
  const codeOf = async (candidate: Candidate) => {
    const fetched = await registry.fetch(candidate);
    return fetched.ok ? 'fetched' : fetched.error.code;
  };

  it('a blob that is a symbolic link is refused, even to the right bytes', async () => {
    const { bundle, candidate } = await publish();
    const path = blobPath(digestOf(bundle.blobs[0]?.bytes ?? bundle.manifest));
    await rename(path, join(dir, 'outside'));
    await symlink(join(dir, 'outside'), path);
    expect(await codeOf(candidate)).toBe('fetch/layout-invalid');
  });

  it('a blobs folder that is a symbolic link is refused', async () => {
    const { candidate } = await publish();
    await rename(join(dir, 'layout/blobs'), join(dir, 'outside'));
    await symlink(join(dir, 'outside'), join(dir, 'layout/blobs'));
    expect(await codeOf(candidate)).toBe('fetch/layout-invalid');
  });

  it('a FIFO in place of a blob is refused and does not hang', async () => {
    const { bundle, candidate } = await publish();
    const path = blobPath(digestOf(bundle.blobs[0]?.bytes ?? bundle.manifest));
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await codeOf(candidate)).toBe('fetch/layout-invalid');
  });

  it('T05 a truncated blob is fetch/blob-truncated', async () => {
    const { bundle, candidate } = await publish();
    await truncate(blobPath(digestOf(bundle.blobs[1]?.bytes ?? bundle.manifest)), 3);
    expect(await codeOf(candidate)).toBe('fetch/blob-truncated');
  });

  it('T04 a blob longer than its descriptor is fetch/blob-size-exceeded', async () => {
    const { bundle, candidate } = await publish();
    const path = blobPath(digestOf(bundle.blobs[1]?.bytes ?? bundle.manifest));
    await writeFile(path, 'x', { flag: 'a' });
    expect(await codeOf(candidate)).toBe('fetch/blob-size-exceeded');
  });

  it('T03 a manifest with other bytes is fetch/digest-mismatch', async () => {
    const { candidate } = await publish();
    await writeFile(blobPath(candidate.digest), '{"schemaVersion":2}');
    expect(await codeOf(candidate)).toBe('fetch/digest-mismatch');
  });

  it('an attestation that is listed but gone is fetch/attestation-unavailable, not "unsigned"', async () => {
    const { bundle, candidate } = await publish();
    const subject = subjectOf(bundle, candidate.digest);
    // Too large for its referrer to carry it.
    const attestation = bytesOf(`{"x":"${'1'.repeat(LIMITS.embeddedBlobBytesMax)}"}`);
    unwrap(await registry.attach(repository(), subject, attestation, 'https://example.com/a'));
    await rm(blobPath(digestOf(attestation)));
    expect(await codeOf(candidate)).toBe('fetch/attestation-unavailable');
  });

  it('a folder that is no layout is resolve/not-found', async () => {
    const reference = { repository: repository(), tag: 'prod', digest: null };
    const resolved = await registry.resolve(reference);
    expect(resolved).toMatchObject({ ok: false, error: { code: 'resolve/not-found' } });
  });

  it('an index that is no JSON is fetch/layout-invalid', async () => {
    const { candidate } = await publish();
    await writeFile(join(dir, 'layout/index.json'), '{"schemaVersion":2,');
    const resolved = await registry.resolve(candidate.reference);
    expect(resolved).toMatchObject({ ok: false, error: { code: 'fetch/layout-invalid' } });
  });
});
