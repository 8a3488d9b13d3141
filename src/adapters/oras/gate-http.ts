// One HTTP exchange of the gate, with nothing added: no redirects, no cookies, no proxies, no pools that
// outlive it. TLS is checked against the authorities of the system, or those of the configured file.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { type IncomingMessage, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';

/** What is asked of a server. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** Makes exchanges; the signal ends one. Rejects with what the network said. */
export type Send = (exchange: Exchange, signal: AbortSignal) => Promise<IncomingMessage>;

/** Prepares the function that speaks to servers. */
export function createSend(caFile: string | undefined): Send {
  const ca =
    caFile === undefined ? [...getCACertificates('system')] : [readFileSync(caFile, 'utf8')];
  return ({ method, url, headers, body }, signal) =>
    new Promise((resolve, reject) => {
      const options = { method, headers, signal, agent: false } as const;
      const request =
        url.protocol === 'https:'
          ? requestHttps(url, { ...options, ...(ca.length === 0 ? {} : { ca }) })
          : requestHttp(url, options);
      request.once('response', resolve);
      request.once('error', reject);
      request.end(body);
    });
}

/** Reads a whole message, at most `bytesMax`; null when there is more. */
export async function readAll(
  message: AsyncIterable<Buffer>,
  bytesMax: number,
): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message) {
    length += chunk.length;
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
