// The oras adapter against registries that lie: each case ends with its code, inside the deadline.
//
// SPDX-License-Identifier: Apache-2.0

import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { MEDIA } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { digestOf } from '../../src/wire/content.ts';
import { makeBundleContent } from '../support/bundle-content.ts';
import { type Lie, send, startLyingRegistry } from '../support/lying-registry.ts';
import { ORAS_PATH } from '../support/tools.ts';

const BUNDLE = makeBundleContent('registry.example.com/acme/p');
const DIGEST = digestOf(BUNDLE.manifest);
const CONFIG = BUNDLE.blobs[0]?.descriptor.digest ?? DIGEST;
const FILE = BUNDLE.blobs[1] ?? { descriptor: { digest: DIGEST }, bytes: new Uint8Array() };
const text = (value: string) => new TextEncoder().encode(value);

async function codes(lie: Lie, more: { referrers?: readonly unknown[]; timeoutMs?: number } = {}) {
  const server = await startLyingRegistry(BUNDLE, lie, more.referrers);
  const registry = createOrasRegistry({
    orasPath: ORAS_PATH,
    plainHttpHosts: [server.host],
    ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
  });
  try {
    const repository = { kind: 'registry', host: server.host, path: 'acme/p' } as const;
    const reference = { repository, tag: 'prod', digest: null };
    const resolved = await registry.resolve(reference);
    const fetched = await registry.fetch({ reference, digest: DIGEST });
    return {
      resolve: resolved.ok ? 'resolved' : resolved.error.code,
      fetch: fetched.ok ? 'fetched' : fetched.error.code,
      skipped: fetched.ok ? (fetched.value.skipped ?? []).map((one) => one.code) : [],
      requests: server.requests,
    };
  } finally {
    await server.stop();
  }
}

const answer =
  (part: string, status: number, type: string, body: Uint8Array, digest?: Digest): Lie =>
  (request, response) => {
    if (request.url?.includes(part) !== true) return false;
    if (digest !== undefined) response.setHeader('docker-content-digest', digest);
    send(request, response, status, type, body);
    return true;
  };

const referrerOf = (layers: readonly unknown[], subject: Digest = DIGEST) =>
  toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.empty, digest: CONFIG, size: 2 },
    layers,
    subject: { mediaType: MEDIA.manifest, digest: subject, size: BUNDLE.manifest.length },
  });
const entryOf = (bytes: Uint8Array) => ({
  mediaType: MEDIA.manifest,
  digest: digestOf(bytes),
  size: bytes.length,
});
const layerOf = (bytes: Uint8Array, size = bytes.length) => ({
  mediaType: MEDIA.sigstore,
  digest: digestOf(bytes),
  size,
});

describe('a registry that lies about content', () => {
  it('is fetched from when it does not lie', async () => {
    expect(await codes(() => false)).toMatchObject({ resolve: 'resolved', fetch: 'fetched' });
  });

  it('T02 T03 other manifest bytes under the digest are fetch/digest-mismatch', async () => {
    const other = text('{"schemaVersion":2}');
    const lie = answer(`/manifests/${DIGEST}`, 200, MEDIA.manifest, other, DIGEST);
    expect((await codes(lie)).fetch).toBe('fetch/digest-mismatch');
  });

  it('T03 other blob bytes of the same length are fetch/digest-mismatch', async () => {
    const other = FILE.bytes.map((byte) => byte ^ 1);
    const lie = answer(`/blobs/${FILE.descriptor.digest}`, 200, 'text/plain', other);
    expect((await codes(lie)).fetch).toBe('fetch/digest-mismatch');
  });

  it('T04 a blob longer than its descriptor is fetch/blob-size-exceeded', async () => {
    const longer = new Uint8Array([...FILE.bytes, ...text('x'.repeat(1000))]);
    const lie = answer(`/blobs/${FILE.descriptor.digest}`, 200, 'text/plain', longer);
    expect((await codes(lie)).fetch).toBe('fetch/blob-size-exceeded');
  });

  it('T05 a blob shorter than its descriptor is fetch/blob-truncated', async () => {
    const lie = answer(`/blobs/${FILE.descriptor.digest}`, 200, 'text/plain', FILE.bytes.slice(2));
    expect((await codes(lie)).fetch).toBe('fetch/blob-truncated');
  });

  it('M01 a manifest of 5 MiB is not read to its end', async () => {
    const large = text(`{"x":"${'y'.repeat(5 * 1024 * 1024)}"}`);
    const lie = answer(`/manifests/${DIGEST}`, 200, MEDIA.manifest, large, DIGEST);
    expect((await codes(lie)).fetch).toBe('fetch/manifest-too-large');
  });

  it('T13 HTML with status 200 is refused', async () => {
    const html = text('<html>sign in</html>');
    const { resolve, fetch } = await codes(answer('/manifests/', 200, 'text/html', html));
    expect(resolve).toBe('fetch/manifest-invalid');
    expect(fetch).toMatch(/^fetch\/(manifest-invalid|digest-mismatch)$/);
  });
});

describe('a registry that fails', () => {
  const body = text('{"errors":[]}');
  it('T01 500 is fetch/registry-unavailable', async () => {
    const found = await codes(answer('/manifests/', 500, 'application/json', body), {
      timeoutMs: 3000,
    });
    expect(found.resolve).toMatch(/^fetch\/(registry-unavailable|timeout)$/);
    expect(found.fetch).toMatch(/^fetch\/(registry-unavailable|timeout)$/);
  });

  it('T12 401 and 403 are fetch/registry-auth', async () => {
    for (const status of [401, 403]) {
      const lie = answer('/manifests/', status, 'application/json', body);
      expect(await codes(lie)).toMatchObject({
        resolve: 'fetch/registry-auth',
        fetch: 'fetch/registry-auth',
      });
    }
  });

  it('404 is resolve/not-found for a manifest and fetch/blob-missing for what it lists', async () => {
    const manifest = await codes(answer('/manifests/', 404, 'application/json', body));
    expect(manifest).toMatchObject({ resolve: 'resolve/not-found', fetch: 'resolve/not-found' });
    const blob = answer(`/blobs/${FILE.descriptor.digest}`, 404, 'application/json', body);
    expect((await codes(blob)).fetch).toBe('fetch/blob-missing');
  });

  it('T07 a body that drips ends at the total deadline', async () => {
    const lie: Lie = (request, response) => {
      if (request.url?.includes(`/blobs/${CONFIG}`) !== true) return false;
      response.writeHead(200, { 'content-length': BUNDLE.blobs[0]?.bytes.length ?? 1 });
      if (request.method === 'HEAD') response.end();
      else response.write('{');
      return true;
    };
    expect((await codes(lie, { timeoutMs: 1500 })).fetch).toBe('fetch/timeout');
  });

  it('T01 a port where nobody listens is fetch/registry-unavailable', async () => {
    const server = await startLyingRegistry(BUNDLE, () => false);
    await server.stop();
    const registry = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [server.host] });
    const repository = { kind: 'registry', host: server.host, path: 'acme/p' } as const;
    const resolved = await registry.resolve({ repository, tag: 'prod', digest: null });
    expect(resolved).toMatchObject({ ok: false, error: { code: 'fetch/registry-unavailable' } });
  });
});

describe('referrers that lie', () => {
  const good = text('{"good":1}');
  const goodReferrer = referrerOf([layerOf(good)]);
  const serve =
    (contents: readonly Uint8Array[]): Lie =>
    (request, response) => {
      const found = contents.find((one) => request.url?.endsWith(digestOf(one)));
      if (found === undefined) return false;
      const isManifest = request.url?.includes('/manifests/') === true;
      response.setHeader('docker-content-digest', digestOf(found));
      send(request, response, 200, isManifest ? MEDIA.manifest : 'text/plain', found);
      return true;
    };

  it('F03 F04 an API list is read whatever it says of the artifact type', async () => {
    const entry = { ...entryOf(goodReferrer), artifactType: MEDIA.empty };
    const found = await codes(serve([goodReferrer, good]), { referrers: [entry] });
    expect(found).toMatchObject({ fetch: 'fetched', skipped: [] });
  });

  it('F07 F08 referrers with two layers, a huge layer or another subject are skipped', async () => {
    const two = referrerOf([layerOf(good), layerOf(text('{"other":1}'))]);
    const huge = referrerOf([layerOf(good, 200 * 1024 * 1024)]);
    const foreign = referrerOf([layerOf(good)], CONFIG);
    const bad = [two, huge, foreign];
    const found = await codes(serve([...bad, goodReferrer, good]), {
      referrers: [...bad, goodReferrer].map(entryOf),
    });
    expect(found.fetch).toBe('fetched');
    expect(found.skipped).toEqual(bad.map(() => 'fetch/referrer-invalid'));
  });

  it('F09 P14 a candidate that cannot be fetched is never "unsigned"', async () => {
    const lost = await codes(serve([goodReferrer]), { referrers: [entryOf(goodReferrer)] });
    expect(lost.fetch).toBe('fetch/attestation-unavailable');
  });

  it('F09 a list that cannot be fetched is an error', async () => {
    const lie = answer('/referrers/', 403, 'application/json', text('{"errors":[]}'));
    expect((await codes(lie)).fetch).toBe('fetch/registry-auth');
  });

  it('F06 pages without end are refused within the deadline', async () => {
    const lie: Lie = (request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      response.setHeader('link', `<${request.url}>; rel="next"`);
      const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [] };
      send(request, response, 200, MEDIA.index, toCanonicalJson(index));
      return true;
    };
    const found = await codes(lie, { timeoutMs: 2000 });
    expect(found.fetch).toMatch(/^fetch\/(timeout|too-many-referrers)$/);
  });

  it('F06 more referrers than the bound: the ones inside are read, and it is said', async () => {
    const others = Array.from({ length: 80 }, (_, n) => ({ ...entryOf(text(`${n}`)), size: 1 }));
    const found = await codes(serve([goodReferrer, good]), {
      referrers: [entryOf(goodReferrer), ...others],
    });
    expect(found.fetch).toBe('fetched');
    expect(found.skipped).toContain('fetch/too-many-referrers');
  });
});

describe('X05 an oras that may not be run', () => {
  const codeOf = async (orasPath: string) => {
    const registry = createOrasRegistry({ orasPath, plainHttpHosts: [] });
    const repository = { kind: 'registry', host: '127.0.0.1:1', path: 'acme/p' } as const;
    const resolved = await registry.resolve({ repository, tag: 'prod', digest: null });
    return resolved.ok ? 'resolved' : resolved.error.code;
  };

  it('missing, relative, writable by others, older, or no oras at all is host/tool-untrusted', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'warder-tool-'));
    try {
      const open = join(dir, 'open');
      await copyFile(ORAS_PATH, open);
      await chmod(open, 0o777);
      const old = join(dir, 'old');
      await writeFile(old, '#!/bin/sh\necho "Version:    1.3.2"\n', { mode: 0o755 });
      const candidate = join(dir, 'candidate');
      await writeFile(candidate, '#!/bin/sh\necho "Version: 1.3.3-rc.1"\n', { mode: 0o755 });
      for (const path of [join(dir, 'missing'), 'oras', open, old, candidate, dir, '/bin/true']) {
        expect([path, await codeOf(path)]).toEqual([path, 'host/tool-untrusted']);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
