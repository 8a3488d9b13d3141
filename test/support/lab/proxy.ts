// What stands between a host and its registry: a forward proxy on loopback that hands everything on, and
// on demand flips one byte of content that it hands on by its digest. A registry that lies, without a second registry.
//
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../../../src/core/digest.ts';

const CONTENT = /^\/v2\/.+\/(?:blobs|manifests)\/(sha256:[0-9a-f]{64})$/;
const FLIPPED_BIT = 0x01;

/** What to lie about: everything, the content of one digest, or nothing. */
export type Lie = 'everything' | Digest | null;

/** A running proxy. */
export interface RegistryProxy {
  readonly port: number;
  /** From now on it lies about all content, about that of a digest, or about none. */
  lieAbout(lie: Lie): void;
  /** How many answers were handed on with a flipped byte: a test asserts that the lie was told. */
  readonly flipped: number;
  stop(): Promise<void>;
}

/** Starts a proxy for the registry at `target` (`HOST:PORT`, plain HTTP). */
export async function startProxy(target: string): Promise<RegistryProxy> {
  let lie: Lie = null;
  let flipped = 0;
  const server = createServer((incoming, outgoing) => {
    const spoil = () => {
      const asked = CONTENT.exec(incoming.url ?? '')?.[1];
      if (incoming.method !== 'GET' || asked === undefined) return false;
      if (lie !== 'everything' && lie !== asked) return false;
      flipped += 1;
      return true;
    };
    forward(target, incoming, outgoing, spoil).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lieAbout: (next) => {
      lie = next;
    },
    get flipped() {
      return flipped;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function forward(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  spoil: () => boolean,
): Promise<void> {
  const onward = request({
    host: target.slice(0, target.lastIndexOf(':')),
    port: Number(target.slice(target.lastIndexOf(':') + 1)),
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    onward.once('response', resolve);
    onward.once('error', reject);
  });
  const sent = pipeline(incoming, onward);
  const answer = await answered;
  await sent;
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  const isContent = answer.statusCode === 200;
  if (isContent && spoil()) await pipeline(answer, flipFirstByte(), outgoing);
  else await pipeline(answer, outgoing);
}

// The length stays: only a hash can tell.
function flipFirstByte(): Transform {
  let done = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      const [first] = chunk;
      if (done || first === undefined) return pass(null, chunk);
      done = true;
      const copy = Buffer.from(chunk);
      copy[0] = first ^ FLIPPED_BIT;
      return pass(null, copy);
    },
  });
}
