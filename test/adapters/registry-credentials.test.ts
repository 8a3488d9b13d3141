// Credentials against registries that want to lead them away. Real oras, real listeners; what is
// asserted is what the other listener was told. The ids are those of the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { MEDIA } from '../../src/core/bundle.ts';
import { digestOf } from '../../src/wire/content.ts';
import { makeBundleContent } from '../support/bundle-content.ts';
import { type Lie, send, startLyingRegistry } from '../support/lying-registry.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { ORAS_PATH } from '../support/tools.ts';

const BUNDLE = makeBundleContent('registry.example.com/acme/p');
const DIGEST = digestOf(BUNDLE.manifest);
const BASIC = `Basic ${Buffer.from('robot:s3cret').toString('base64')}`;
const NONE = Buffer.from('{"errors":[]}');

interface Listener {
  readonly host: string;
  /** What was asked, with everything that could be a proof. */
  readonly seen: { readonly url: string; readonly authorization: string | undefined }[];
  stop(): Promise<void>;
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const seen: { url: string; authorization: string | undefined }[] = [];
  const server = createServer((asked, response) => {
    seen.push({ url: asked.url ?? '', authorization: asked.headers.authorization });
    answer(asked, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Demands the proof that `accepts` knows, by the challenge that it names. */
const demand =
  (challenge: () => string, accepts: string, then: Lie = () => false): Lie =>
  (asked, response) => {
    if (asked.headers.authorization === accepts) return then(asked, response);
    response.setHeader('www-authenticate', challenge());
    send(asked, response, 401, 'application/json', NONE);
    return true;
  };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warder-credentials-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function codes(
  lie: Lie,
  more: {
    readonly hosts?: (host: string) => readonly string[];
    readonly realms?: readonly string[];
    readonly plain?: readonly string[];
  } = {},
) {
  const authorizations: (string | undefined)[] = [];
  const server = await startLyingRegistry(BUNDLE, (asked, response) => {
    authorizations.push(asked.headers.authorization);
    return lie(asked, response);
  });
  const entries = (more.hosts ?? ((host) => [host]))(server.host);
  const auth = { auth: Buffer.from('robot:s3cret').toString('base64') };
  const auths = Object.fromEntries(entries.map((host) => [host, auth]));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
  const registry = createOrasRegistry({
    orasPath: ORAS_PATH,
    plainHttpHosts: [server.host, ...(more.plain ?? [])],
    credentialsDir: folder,
    tokenRealms: more.realms ?? [],
    timeoutMs: 20_000,
  });
  try {
    const repository = { kind: 'registry', host: server.host, path: 'acme/p' } as const;
    const reference = { repository, tag: 'prod', digest: null };
    const resolved = await registry.resolve(reference);
    const fetched = await registry.fetch({ reference, digest: DIGEST });
    return {
      resolve: resolved.ok ? 'resolved' : resolved.error.code,
      fetch: fetched.ok ? 'fetched' : fetched.error.code,
      told: JSON.stringify([resolved, fetched]),
      authorizations,
    };
  } finally {
    await server.stop();
  }
}

describe('a registry that may have the credentials', () => {
  it('gets them when it asks, and is fetched from', async () => {
    const found = await codes(demand(() => 'Basic realm="x"', BASIC));
    expect(found).toMatchObject({ resolve: 'resolved', fetch: 'fetched' });
  });

  it('may send them to an allowed token realm, for the repository that is wanted and no more', async () => {
    const realm = await listen((asked, response) =>
      send(asked, response, 200, 'application/json', Buffer.from('{"token":"abc"}')),
    );
    const challenge = `Bearer realm="http://${realm.host}/token",service="r",scope="repository:other/x:push"`;
    const lie = demand(() => challenge, 'Bearer abc');
    const found = await codes(lie, { realms: [realm.host], plain: [realm.host] });
    await realm.stop();
    expect(found).toMatchObject({ resolve: 'resolved', fetch: 'fetched' });
    const scopes = realm.seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('scope'));
    expect(new Set(scopes)).toEqual(new Set(['repository:acme/p:pull']));
    expect(realm.seen[0]?.authorization).toBe(BASIC);
    expect(found.authorizations).not.toContain(BASIC);
  });

  it('T12 that refuses them is fetch/registry-auth, and they are not in what is told (X04)', async () => {
    const found = await codes(demand(() => 'Basic realm="x"', 'other'));
    expect(found).toMatchObject({ resolve: 'fetch/registry-auth', fetch: 'fetch/registry-auth' });
    expect(found.told).not.toContain('s3cret');
    expect(found.told).not.toContain(BASIC.slice(6));
  });
});

describe('a registry that leads them away', () => {
  it('T11 a realm on another host is fetch/auth-realm-rejected, and it hears nothing', async () => {
    const thief = await listen((asked, response) =>
      send(asked, response, 200, 'application/json', Buffer.from('{"token":"abc"}')),
    );
    const found = await codes(
      demand(() => `Bearer realm="http://${thief.host}/token",service="r"`, 'Bearer abc'),
      { plain: [thief.host] },
    );
    await thief.stop();
    expect(found).toMatchObject({
      resolve: 'fetch/auth-realm-rejected',
      fetch: 'fetch/auth-realm-rejected',
    });
    expect(thief.seen).toEqual([]);
  });

  it('T11 a realm that redirects from an allowed host to another gets no credentials there', async () => {
    const thief = await listen((asked, response) =>
      send(asked, response, 200, 'application/json', Buffer.from('{"token":"abc"}')),
    );
    const realm = await listen((asked, response) => {
      response.setHeader('location', `http://${thief.host}/token`);
      send(asked, response, 307, 'text/plain', NONE);
    });
    const lie = demand(() => `Bearer realm="http://${realm.host}/token"`, 'Bearer abc');
    const found = await codes(lie, {
      realms: [realm.host],
      plain: [realm.host, thief.host],
    });
    await Promise.all([thief.stop(), realm.stop()]);
    expect(found.resolve).toBe('fetch/registry-auth');
    expect(thief.seen).toEqual([]);
  });

  it('T09 a redirect to another port of the same host is followed without them', async () => {
    const [config] = BUNDLE.blobs;
    const other = await listen((asked, response) =>
      send(asked, response, 200, 'text/plain', config?.bytes ?? NONE),
    );
    const redirect: Lie = (asked, response) => {
      if (asked.url?.includes(`/blobs/${config?.descriptor.digest}`) !== true) return false;
      response.setHeader('location', `http://${other.host}/elsewhere`);
      send(asked, response, 307, 'text/plain', NONE);
      return true;
    };
    const found = await codes(
      demand(() => 'Basic realm="x"', BASIC, redirect),
      {
        plain: [other.host],
      },
    );
    await other.stop();
    expect(found.fetch).toBe('fetched');
    expect(other.seen.length).toBeGreaterThan(0);
    expect(other.seen.map((it) => it.authorization)).toEqual(other.seen.map(() => undefined));
  });

  it('T08 a redirect to a plain-HTTP host that is not listed is fetch/redirect-refused', async () => {
    const other = await listen((asked, response) => send(asked, response, 200, 'text/plain', NONE));
    const redirect: Lie = (asked, response) => {
      if (asked.url?.includes('/blobs/') !== true) return false;
      response.setHeader('location', `http://${other.host}/elsewhere`);
      send(asked, response, 302, 'text/plain', NONE);
      return true;
    };
    const found = await codes(demand(() => 'Basic realm="x"', BASIC, redirect));
    await other.stop();
    expect(found.fetch).toBe('fetch/redirect-refused');
    expect(other.seen).toEqual([]);
  });

  it('T15 credentials of a host whose name begins or ends alike are not used', async () => {
    const alike = (host: string) => [`${host}.evil.net`, `evil-${host}`, host.replace(/:.*/, '')];
    const found = await codes(
      demand(() => 'Basic realm="x"', BASIC),
      { hosts: alike },
    );
    expect(found.resolve).toBe('fetch/registry-auth');
    expect(found.authorizations.filter((it) => it !== undefined)).toEqual([]);
  });

  it('a next page of referrers on another host is not asked for', async () => {
    const other = await listen((asked, response) => send(asked, response, 200, 'text/plain', NONE));
    const page: Lie = (asked, response) => {
      if (asked.url?.includes('/referrers/') !== true) return false;
      response.setHeader('link', `<http://${other.host}/v2/next>; rel="next"`);
      const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [] };
      send(asked, response, 200, MEDIA.index, Buffer.from(JSON.stringify(index)));
      return true;
    };
    await codes(
      demand(() => 'Basic realm="x"', BASIC, page),
      { plain: [other.host] },
    );
    await other.stop();
    expect(other.seen).toEqual([]);
  });
});

describe('publishing with credentials', () => {
  let real: TestRegistry;
  beforeAll(async () => {
    real = await startRegistry();
  });
  afterAll(() => real.stop());

  it('pushes and reads back through a registry that demands them of everybody', async () => {
    const front = await listen((asked, response) => {
      if (asked.headers.authorization !== BASIC) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        return;
      }
      const headers = { ...asked.headers, authorization: undefined };
      const onward = request(
        `http://${real.host}${asked.url}`,
        { method: asked.method ?? 'GET', headers: JSON.parse(JSON.stringify(headers)) },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      asked.pipe(onward);
    });
    const auth = Buffer.from('robot:s3cret').toString('base64');
    const auths = { [front.host]: { auth } };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
    const registry = createOrasRegistry({
      orasPath: ORAS_PATH,
      plainHttpHosts: [front.host],
      credentialsDir: folder,
    });
    const repository = { kind: 'registry', host: front.host, path: 'acme/p' } as const;
    const pushed = await registry.push(repository, ['prod'], BUNDLE.manifest, BUNDLE.blobs);
    const reference = { repository, tag: 'prod', digest: null };
    const fetched = await registry.fetch({ reference, digest: DIGEST });
    await front.stop();
    expect(pushed).toEqual({ ok: true, value: DIGEST });
    expect(fetched.ok).toBe(true);
  });
});
