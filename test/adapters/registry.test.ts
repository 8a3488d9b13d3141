// The oras adapter against a real registry: what is written is read back, from both kinds of lists.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { type Descriptor, MEDIA } from '../../src/core/bundle.ts';
import { parseReference, type Repository } from '../../src/core/reference.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { digestOf } from '../../src/wire/content.ts';
import { fallbackTag } from '../../src/wire/referrer.ts';
import { makeBundleContent } from '../support/bundle-content.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import { ORAS_PATH } from '../support/tools.ts';

let server: TestRegistry;
let next = 0;

beforeAll(async () => {
  server = await startRegistry();
});
afterAll(() => server.stop());

const bytesOf = (text: string) => new TextEncoder().encode(text);

function putManifest(name: string, tag: string, mediaType: string, bytes: Uint8Array) {
  const url = `http://${name.replace('/', '/v2/')}/manifests/${tag}`;
  return fetch(url, { method: 'PUT', headers: { 'content-type': mediaType }, body: bytes });
}

function open() {
  next += 1;
  const name = `${server.host}/acme/p${next}`;
  const registry = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [server.host] });
  const repository: Repository = unwrap(parseReference(name)).repository;
  return { registry, repository, name };
}

describe('a registry through oras', () => {
  it('gives back the bundle and the attestations that were pushed, byte for byte', async () => {
    const { registry, repository, name } = open();
    const bundle = makeBundleContent(name);
    const digest = unwrap(
      await registry.push(repository, ['prod', 'prod-v1'], bundle.manifest, bundle.blobs),
    );
    const subject: Descriptor = {
      mediaType: MEDIA.manifest,
      digest,
      size: bundle.manifest.length,
    };
    const first = bytesOf('{"first":1}');
    const second = bytesOf('{"second":2}');
    unwrap(await registry.attach(repository, subject, first, 'https://example.com/a'));
    unwrap(await registry.attach(repository, subject, second, 'https://example.com/b'));

    const candidate = unwrap(await registry.resolve({ repository, tag: 'prod', digest: null }));
    expect(candidate.digest).toBe(digest);
    const fetched = unwrap(await registry.fetch(candidate));
    expect(fetched.manifest).toEqual(bundle.manifest);
    expect(fetched.config).toEqual(bundle.blobs[0]?.bytes);
    expect(fetched.files.map((file) => file.digest)).toEqual(
      bundle.descriptor.files.map((file) => file.digest),
    );
    expect(fetched.attestations.map(digestOf).toSorted()).toEqual(
      [first, second].map(digestOf).toSorted(),
    );
    expect(fetched.skipped).toEqual([]);
    expect(unwrap(await registry.list(repository, digest)).toSorted()).toEqual(
      [first, second].map(digestOf).toSorted(),
    );
  });

  it('puts an attestation back into the list when another writer lost it', async () => {
    const { registry, repository, name } = open();
    const bundle = makeBundleContent(name);
    const digest = unwrap(await registry.push(repository, ['prod'], bundle.manifest, bundle.blobs));
    const subject = { mediaType: MEDIA.manifest, digest, size: bundle.manifest.length };
    const attestation = bytesOf('{"n":1}');
    unwrap(await registry.attach(repository, subject, attestation, 'https://example.com/a'));
    const empty = toCanonicalJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] });
    const lose = await putManifest(name, fallbackTag(digest), MEDIA.index, empty);
    expect(lose.status).toBe(201);
    expect(unwrap(await registry.list(repository, digest))).toEqual([]);
    unwrap(await registry.attach(repository, subject, attestation, 'https://example.com/a'));
    expect(unwrap(await registry.list(repository, digest))).toEqual([digestOf(attestation)]);
  });

  it('R01 a tag that moves after resolve does not change what is fetched', async () => {
    const { registry, repository, name } = open();
    const old = makeBundleContent(name, 1);
    const young = makeBundleContent(name, 2);
    unwrap(await registry.push(repository, ['prod'], old.manifest, old.blobs));
    const candidate = unwrap(await registry.resolve({ repository, tag: 'prod', digest: null }));
    unwrap(await registry.push(repository, ['prod'], young.manifest, young.blobs));
    const fetched = unwrap(await registry.fetch(candidate));
    expect(fetched.manifest).toEqual(old.manifest);
  });

  it('F01 a bundle without attestations is fetched with none, and that is no error of the registry', async () => {
    const { registry, repository, name } = open();
    const bundle = makeBundleContent(name);
    unwrap(await registry.push(repository, ['prod'], bundle.manifest, bundle.blobs));
    const candidate = unwrap(await registry.resolve({ repository, tag: 'prod', digest: null }));
    const fetched = unwrap(await registry.fetch(candidate));
    expect(fetched.attestations).toEqual([]);
    expect(fetched.skipped).toEqual([]);
  });

  it('a tag that is not there is resolve/not-found', async () => {
    const { registry, repository } = open();
    const resolved = await registry.resolve({ repository, tag: 'nope', digest: null });
    expect(resolved).toMatchObject({ ok: false, error: { code: 'resolve/not-found' } });
  });

  it('T16 a plain-HTTP registry that is not listed is refused', async () => {
    const { repository } = open();
    const registry = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [] });
    const resolved = await registry.resolve({ repository, tag: 'prod', digest: null });
    expect(resolved).toMatchObject({ ok: false, error: { code: 'fetch/insecure-registry' } });
  });
});
