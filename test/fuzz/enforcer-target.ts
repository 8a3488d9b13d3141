// A whole enforcer behind its session, as an agent that lies sees it: real store, real verification, the kernel
// of test/support/fake-kernel.ts. An input is a list of values, each sent as a frame once the one before was
// answered. Whatever is sent, nothing throws, and only what was signed is ever enforced.
//
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { type SessionContext, serveSession } from '../../src/enforcer/session.ts';
import { encodeFrame, FrameReader } from '../../src/wire/frame.ts';
import { encodeBundle, encodeBytes, PROTOCOL_VERSION } from '../../src/wire/protocol.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { type Target, text } from './target.ts';

const FRAMES_MAX = 4;
const LIMITS = { frameMs: 1000, idleMs: 1000, unsentBytesMax: 64 * 1024 };

/** Makes the target; its enforcer has version 1 in force. */
export async function enforcerTarget(): Promise<Target> {
  const signer = makeSigner();
  const host = new TestHost(trustIn(signer));
  const [first, second] = await Promise.all(
    [1, 2].map((it) => makeBundle(signer, it, [ruleFor('a/one', '/etc/hostname')])),
  );
  if (first === undefined || second === undefined) throw new Error('no bundles');
  const enforcer = await host.start();
  await enforce(enforcer, first);
  const bugs: unknown[] = [];
  const context: SessionContext = {
    enforcer,
    role: 'agent',
    uid: 4242,
    enforcerVersion: '0.1.0',
    limits: LIMITS,
    onBug: (cause) => bugs.push(cause),
  };
  const ours: readonly string[] = [first.digest, second.digest];
  const hello = { hello: { protocol: PROTOCOL_VERSION, client: 'fuzz' } };
  const statements = first.attestations.map(encodeBytes);
  const requests = [
    { id: 1, request: 'activate', bundle: encodeBundle(second) },
    { id: 2, request: 'status' },
    { id: 3, request: 'head', statements },
    { id: 4, request: 'trust', statements },
    { id: 5, request: 'confirm', digest: first.digest },
    { id: 6, request: 'restore', reason: 'x' },
    { id: 7, request: 'probe' },
    { id: 8, request: 'events', limit: 10 },
    { id: 9, request: 'record', recordId: first.digest },
    { id: 10, request: 'use-glass', statements, by: 'agent' },
  ];
  const [seed = text([]), ...seeds] = requests.map((it) => text([hello, it]));
  return {
    name: 'enforcer',
    form: 'json',
    seeds: [seed, ...seeds],
    run: async (input) => {
      const said = await converse(context, readFrames(input));
      if (bugs.length > 0) throw bugs.pop();
      const { enforced } = expectOk(await enforcer.status());
      const digest = enforced.kind === 'bundle' ? enforced.bundle.digest : null;
      if (digest === null || !ours.includes(digest)) throw new Error(`${digest} is enforced`);
      return said;
    },
    close: () => host.remove(),
  };
}

function readFrames(input: Uint8Array): readonly unknown[] {
  try {
    const values = JSON.parse(Buffer.from(input).toString()) as unknown;
    return Array.isArray(values) ? values.slice(0, FRAMES_MAX) : [values];
  } catch (cause) {
    if (cause instanceof SyntaxError) return [];
    throw cause;
  }
}

/** Sends, waits for each answer, hangs up; answers what was said, code by code. */
async function converse(context: SessionContext, values: readonly unknown[]): Promise<string> {
  const [mine, theirs] = duplexPair();
  // A session uses what every stream of two ways has.
  const ended = serveSession(theirs as unknown as Socket, context);
  const reader = new FrameReader(1 << 24);
  const words: string[] = [];
  for (const value of values) {
    if (mine.destroyed || mine.readableEnded) break;
    // A follower is answered when something happens, which is never here.
    if (JSON.stringify(value)?.includes('"follow"') === true) continue;
    mine.write(encodeFrame(value));
    const chunk = await nextChunk(mine);
    if (chunk === null) break;
    words.push(...expectOk(reader.push(chunk)).map(codeOf));
    if (words.at(-1)?.startsWith('closing') === true) break;
  }
  mine.end();
  mine.resume();
  await ended;
  return words.join(' ');
}

function nextChunk(from: Duplex): Promise<Buffer | null> {
  return new Promise((resolve) => {
    from.once('end', () => resolve(null));
    from.once('data', (chunk: Buffer) => {
      from.pause();
      resolve(chunk);
    });
    from.resume();
  });
}

function codeOf(answer: unknown): string {
  const { hello, closing, ok, failure } = answer as {
    readonly hello?: unknown;
    readonly closing?: { readonly code: string; readonly causes: readonly string[] };
    readonly ok?: boolean;
    readonly failure?: { readonly code: string; readonly causes: readonly string[] };
  };
  if (hello !== undefined) return 'hello';
  if (closing !== undefined) return `closing ${closing.code} ${closing.causes[0]?.slice(0, 40)}`;
  return ok === true ? 'ok' : `${failure?.code} ${failure?.causes[0]?.slice(0, 40)}`;
}
