// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectEnforcer } from '../../src/adapters/enforcer-client/client.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Peer } from '../../src/core/enforcer/roles.ts';
import { err, failure, ok, type Result } from '../../src/core/result.ts';
import { type RunningServer, startServer } from '../../src/enforcer/server.ts';
import { encodeFrame, FrameReader } from '../../src/wire/frame.ts';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.ts';
import { statusShape } from '../../src/wire/protocol-shapes.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { STATUS } from '../support/enforcer-answers.ts';
import { glassOf, placeOf, signOrder } from '../support/glass.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const AGENT = 4242;
const GROUP = 4343;
const LIMITS = { frameMs: 500, idleMs: 5_000, unsentBytesMax: 64 * 1024 };
const signer = makeSigner();
const keeper = makeSigner();
const dir = mkdtempSync(join(tmpdir(), 'warder-socket-'));
const path = join(dir, 'enforcer.sock');
let host: TestHost;
let server: RunningServer;
let peer: Result<Peer> = ok({ uid: 0, gids: [0] });
let v1: BundleBytes;
const bugs: unknown[] = [];

beforeAll(async () => {
  host = new TestHost({ ...trustIn(signer), breakGlass: glassOf(1, keeper) });
  v1 = await makeBundle(signer, 1, [ruleFor('a/one', '/etc/hostname')]);
  const enforcer = await host.start();
  server = await startServer({
    path,
    owners: { agentUid: AGENT, readGid: process.getgid?.() ?? 0 },
    enforcer,
    enforcerVersion: '0.1.0',
    peerOf: () => peer,
    connectionsMax: 4,
    limits: LIMITS,
    onBug: (cause) => bugs.push(cause),
  });
});

afterAll(async () => {
  await server.close();
  host.remove();
  rmSync(dir, { recursive: true, force: true });
});

afterEach(() => {
  peer = ok({ uid: 0, gids: [0] });
});

const client = connectEnforcer({
  socketPath: path,
  client: 'test',
  replyTimeoutMs: 20_000,
  activateTimeoutMs: 60_000,
});
const asAgent: Result<Peer> = ok({ uid: AGENT, gids: [AGENT] });
const hello = { hello: { protocol: PROTOCOL_VERSION, client: 'test' } };

/** Sends bytes, answers every frame until the connection ends. */
function converse(...chunks: readonly Uint8Array[]): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(1 << 24);
    const frames: unknown[] = [];
    const socket: Socket = createConnection(path);
    socket.on('data', (chunk: Buffer) => frames.push(...expectOk(reader.push(chunk))));
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      cause.code === 'EPIPE' || cause.code === 'ECONNRESET' ? undefined : reject(cause),
    );
    socket.on('close', () => resolve(frames));
    for (const chunk of chunks) socket.write(chunk);
  });
}

const closing = (code: string) => ({ closing: expect.objectContaining({ code }) });

describe('the socket', () => {
  it('is closed to everybody but root and the group', () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it('carries a whole activation with a real bundle', async () => {
    peer = asAgent;
    expect(expectOk(await client.activate(v1))).toMatchObject({ kind: 'bundle' });
    expect(expectOk(await client.probe()).healthy).toBe(true);
    expect(expectOk(await client.confirm(v1.digest))).toMatchObject({ confirmed: true });
    const status = expectOk(await client.status());
    expect(status.enforced).toMatchObject({ bundle: { digest: v1.digest } });
    expect(status).toEqual(
      expectOk((await host.enforcer?.status()) ?? err(failure('cli/internal', ''))),
    );
  });

  it('tells an enforcer that is not there from one that refuses', async () => {
    const nobody = connectEnforcer({
      socketPath: join(dir, 'nobody.sock'),
      client: 'test',
      replyTimeoutMs: 1_000,
      activateTimeoutMs: 1_000,
    });
    expect(await nobody.status()).toMatchObject({ error: { code: 'host/enforcer-unavailable' } });
    for await (const event of nobody.followEvents(AbortSignal.timeout(5_000))) {
      expect(event).toMatchObject({ error: { code: 'host/enforcer-unavailable' } });
    }
  });
});

describe('what travels', () => {
  it('is a bundle that an identity signed, like one that a key did', () => {
    const { lastKnownGood } = STATUS;
    if (lastKnownGood === null) throw new Error('the fixture has one');
    const signers = lastKnownGood.signers.map((it) => ({ ...it, kind: 'identity' as const }));
    const told = { ...STATUS, lastKnownGood: { ...lastKnownGood, signers } };
    expect(statusShape.parse(JSON.parse(JSON.stringify(told)))).toEqual(told);
  });

  it('is a head, from the agent and root alone, as many statements as there may be', async () => {
    peer = asAgent;
    const one = new TextEncoder().encode('{}');
    expect(await client.head([one])).toMatchObject({ error: { code: 'verify/head-invalid' } });
    const many = Array.from({ length: 9 }, () => one);
    expect(await client.head(many)).toMatchObject({ error: { code: 'host/protocol-invalid' } });
    peer = ok({ uid: 1234, gids: [process.getgid?.() ?? 0] });
    expect(await client.head([one])).toMatchObject({ error: { code: 'host/enforcer-denied' } });
  });
});

describe('break-glass', () => {
  const relax = { action: 'relax', rules: [], cgroup: '/known', minutes: 5, reason: 'x' } as const;

  it('is asked for, used, told and ended over the socket', async () => {
    const place = placeOf(expectOk(await client.askGlass()));
    const order = await signOrder({ ...relax, ...place }, keeper);
    const used = expectOk(await client.useGlass(order, 'somebody'));
    // Who asks is completed by what the kernel knows.
    expect(used.by).toBe('somebody (uid 0)');
    expect(expectOk(await client.status()).breakGlass?.id).toBe(used.id);
    expectOk(await client.endGlass('somebody'));
    expect(expectOk(await client.listGlass())).toMatchObject([{ id: used.id }]);
  });

  it('is for root; members of the group see what was used', async () => {
    const place = placeOf(expectOk(await client.askGlass()));
    const order = await signOrder({ ...relax, ...place }, keeper);
    peer = asAgent;
    const denied = { error: { code: 'host/enforcer-denied' } };
    expect(await client.askGlass()).toMatchObject(denied);
    expect(await client.useGlass(order, 'agent')).toMatchObject(denied);
    expect(await client.endGlass('agent')).toMatchObject(denied);
    expect(await client.listGlass()).toMatchObject({ ok: true });
  });
});

describe('roles', () => {
  it('lets the agent activate and restore, and not roll back, resume or disable', async () => {
    peer = asAgent;
    expect(await client.restore('a test')).toMatchObject({ ok: true });
    const denied = { error: { code: 'host/enforcer-denied' } };
    expect(await client.rollback('agent', 'because')).toMatchObject(denied);
    expect(await client.resume('agent')).toMatchObject(denied);
    expect(await client.disable('agent', 'because', null)).toMatchObject(denied);
    expect(host.kernel.enforces).not.toBeNull();
  });

  it('lets members of the group read, by any of their groups, and nothing else', async () => {
    peer = ok({ uid: 1000, gids: [1000, process.getgid?.() ?? 0] });
    expect(await client.status()).toMatchObject({ ok: true });
    expect(await client.events({ limit: 5 })).toMatchObject({ ok: true });
    for (const asked of [client.probe(), client.confirm(v1.digest), client.restore('x')]) {
      expect(await asked).toMatchObject({ error: { code: 'host/enforcer-denied' } });
    }
  });

  it('gives a reader no room for a bundle', async () => {
    peer = ok({ uid: 1000, gids: [process.getgid?.() ?? 0] });
    const frames = await converse(encodeFrame(hello), new Uint8Array([0, 2, 0, 0]));
    expect(frames.at(-1)).toEqual(closing('host/protocol-invalid'));
  });

  it('serves no stranger, and nobody whom the kernel does not name', async () => {
    peer = ok({ uid: 1000, gids: [GROUP + 1] });
    if (process.getgid?.() === GROUP + 1) return;
    expect(await client.status()).toMatchObject({ error: { code: 'host/enforcer-denied' } });
    peer = err(failure('host/enforcer-denied', 'no credentials'));
    expect(await client.status()).toMatchObject({ error: { code: 'host/enforcer-denied' } });
  });

  it('writes the uid that the kernel told into the hold, whatever the request says', async () => {
    await enforce(host.enforcer ?? expect.fail(), await makeBundle(signer, 2));
    expectOk(await client.rollback('mallory', 'a test'));
    expect(expectOk(await client.status()).hold?.by).toBe('mallory (uid 0)');
    expectOk(await client.resume('root'));
  });
});

it('tells who asked that a bug ended the request, tells the process, and serves the next', async () => {
  const enforcer = host.enforcer ?? expect.fail();
  const bug = new TypeError('a bug of the test');
  enforcer.status = () => Promise.reject(bug);
  expect(await client.status()).toMatchObject({ error: { code: 'host/enforcer-failed' } });
  Reflect.deleteProperty(enforcer, 'status');
  expect(bugs).toEqual([bug]);
  expect(await client.status()).toMatchObject({ ok: true });
});

describe('hostile peers', () => {
  it('refuses another protocol version with its own code', async () => {
    const frames = await converse(
      encodeFrame({ hello: { protocol: PROTOCOL_VERSION + 1, client: 'new' } }),
    );
    expect(frames).toEqual([closing('host/protocol-mismatch')]);
  });

  it('closes on anything before the handshake, unknown requests and unknown fields', async () => {
    const bad = [
      [{ id: 1, request: 'status' }],
      [hello, { id: 1, request: 'format-disk' }],
      [hello, { id: 1, request: 'status', more: 1 }],
      [hello, { id: 0, request: 'status' }],
      [hello, { id: 1, request: 'activate', bundle: { digest: 'sha256:00' } }],
      [hello, JSON.parse('{"id":1,"request":"status","__proto__":{"x":1}}')],
      [hello, null],
    ];
    for (const messages of bad) {
      const frames = await converse(...messages.map(encodeFrame));
      expect(frames.at(-1)).toEqual(closing('host/protocol-invalid'));
    }
  });

  it('ends a connection that trickles or says nothing, at its deadline', async () => {
    expect(await converse(new Uint8Array([0, 0]))).toEqual([closing('host/protocol-invalid')]);
    expect(await converse()).toEqual([closing('host/protocol-invalid')]);
  });

  it('refuses connections beyond its bound and serves again when one ends', async () => {
    const sockets = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<Socket>((resolve) => {
            const socket = createConnection(path, () => resolve(socket));
            socket.on('error', () => undefined);
          }),
      ),
    );
    expect(await client.status()).toMatchObject({ error: { code: 'host/enforcer-busy' } });
    const gone = sockets.map((it) => new Promise((resolve) => it.on('close', resolve)));
    for (const socket of sockets) socket.end();
    await Promise.all(gone);
    expect(await client.status()).toMatchObject({ ok: true });
  });

  it('survives random bytes, and serves the next peer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 600 }), async (bytes) => {
        // A length that fits, so that the bytes reach the JSON reader as well.
        const framed = Buffer.concat([Buffer.from([0, 0, 0, bytes.length & 0xff]), bytes]);
        const [raw, inFrame] = await Promise.all([
          converse(bytes),
          converse(encodeFrame(hello), framed),
        ]);
        expect(raw.at(-1)).toHaveProperty('closing');
        expect(inFrame.at(-1)).toHaveProperty('closing');
      }),
      { numRuns: 30 },
    );
    expect(await client.status()).toMatchObject({ ok: true });
  });

  it('survives random JSON in every position of a request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom('id', 'request', 'bundle', 'limit', 'by'), fc.jsonValue()),
        async (request) => {
          const frames = await converse(encodeFrame(hello), encodeFrame(request));
          expect(frames.at(-1)).toEqual(closing('host/protocol-invalid'));
        },
      ),
      { numRuns: 50 },
    );
    expect(await client.status()).toMatchObject({ ok: true });
  });
});

describe('events', () => {
  it('are explained down to the rule, its line and its signer, and followed live', async () => {
    const stop = new AbortController();
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const event of client.followEvents(stop.signal)) {
        seen.push(expectOk(event));
        stop.abort();
      }
    })();
    // The follower may not be in place yet: deny until it saw one.
    while (seen.length === 0) {
      host.kernel.emit('write', { rule: 0, names: ['hostname', 'etc', '/'] });
      host.enforcer?.drain();
      await client.status();
    }
    await following;
    expect(seen).toHaveLength(1);
    const event = expectOk(await client.events({ limit: 100 })).at(-1);
    expect(expectOk(await client.events({ limit: 100 }))).toContainEqual(seen[0]);
    expect(event).toMatchObject({
      action: 'deny',
      rule: 'a/one',
      operation: 'write',
      errno: 'EACCES',
      origin: { file: 'policies/a.yaml', line: 3 },
      bundle: { digest: v1.digest, signers: [{ kind: 'key' }] },
      object: { path: '/etc/hostname' },
      process: { exe: null },
    });
    expect(event?.id).toMatch(/^[0-9a-f]{8}-1-0-\d+$/);
    expect(expectOk(await client.event(event?.id ?? ''))).toEqual(event);
    expect(expectOk(await client.event('no-such'))).toBeNull();
  });

  it('show no canary of this process, and every other touch of the canary directory', async () => {
    const before = expectOk(await client.events({ limit: 100 })).length;
    expectOk(await client.probe());
    expect(expectOk(await client.events({ limit: 100 }))).toHaveLength(before);
    host.kernel.childPpid = 1;
    expect(expectOk(await client.probe()).healthy).toBe(false);
    host.kernel.childPpid = process.pid;
    const shown = expectOk(await client.events({ limit: 100 })).slice(before);
    expect(shown.length).toBeGreaterThan(0);
    expect(new Set(shown.map((it) => it.rule))).toEqual(new Set(['warder-baseline/canary']));
  });

  it('are counted by rule, exactly, when there are too many to explain', async () => {
    const before = expectOk(await client.status());
    const told = () => host.store?.history.tally().told ?? 0;
    const toldBefore = told();
    const flood = 5000;
    for (let i = 0; i < flood; i += 1) host.kernel.emit('write', { rule: 0 });
    for (let i = 0; i < 3; i += 1) host.kernel.emit('read', { rule: 1 });
    while (host.kernel.waiting > 0) host.enforcer?.drain();
    const after = expectOk(await client.status());
    const explained = told() - toldBefore;
    const suppressed = after.totals.suppressed - before.totals.suppressed;
    expect(suppressed).toBeGreaterThan(flood / 2);
    expect(explained + suppressed).toBe(flood + 3);
    // The hammered rule used up its own share only.
    expect(after.suppressed).toEqual([
      expect.objectContaining({ rule: 'a/one', action: 'deny', count: suppressed }),
    ]);
  });

  it('are told as lost when the ring was full, with exact totals', async () => {
    host.kernel.faults.loseEvents = true;
    host.kernel.emit('write', { rule: 0 });
    host.kernel.faults.loseEvents = false;
    host.enforcer?.drain();
    const { totals, alerts } = expectOk(await client.status());
    expect(totals.emitted + totals.dropped).toBe(totals.sequence);
    expect(totals.dropped).toBe(1);
    expect(alerts.map((it) => it.code)).toContain('host/events-lost');
  });
});
