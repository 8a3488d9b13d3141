// A registry that lies, stalls or breaks, on loopback: each test says what one path answers; everything
// else is forwarded to content that is right. It logs the requests that it got.
//
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MEDIA } from '../../src/core/bundle.ts';
import { digestOf } from '../../src/wire/content.ts';
import type { BundleContent } from './bundle-content.ts';

/** Answers a request itself and says so, or leaves it to the honest part. */
export type Lie = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A running lying registry. */
export interface LyingRegistry {
  readonly host: string;
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** Serves `bundle` under tag `prod` of any repository, with what `lie` changes. */
export async function startLyingRegistry(
  bundle: BundleContent,
  lie: Lie,
  referrers: readonly unknown[] = [],
): Promise<LyingRegistry> {
  const requests: string[] = [];
  const content = new Map(bundle.blobs.map((blob) => [blob.descriptor.digest, blob.bytes]));
  const digest = digestOf(bundle.manifest);
  const server: Server = createServer((request, response) => {
    const url = request.url ?? '';
    requests.push(`${request.method} ${url}`);
    if (lie(request, response)) return;
    const [kind, name = ''] = url.split('/').slice(-2);
    const isManifest = kind === 'manifests' && (name === 'prod' || name === digest);
    const bytes = isManifest ? bundle.manifest : content.get(name as never);
    if (kind === 'referrers') {
      const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: referrers };
      send(request, response, 200, MEDIA.index, Buffer.from(JSON.stringify(index)));
    } else if (bytes === undefined) {
      send(request, response, 404, 'application/json', Buffer.from('{"errors":[]}'));
    } else {
      const type = isManifest ? MEDIA.manifest : 'application/octet-stream';
      response.setHeader('docker-content-digest', digestOf(bytes));
      send(request, response, 200, type, bytes);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends a whole answer. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: Uint8Array,
): void {
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
