// The gate between oras and a registry that wants credentials. oras sends them wherever a challenge
// points to, and along a redirect to another port or scheme of the same host; there is no option against
// it. So oras never has them: it speaks to this server on loopback, with a secret of this process, and
// the gate asks the registry (gate-upstream.ts), under rules that a registry cannot bend.
//
// Invariants: without the secret nothing is answered; only paths of the registry API pass; headers pass
// by name in both directions; addresses in answers never lead oras anywhere else.
//
// SPDX-License-Identifier: Apache-2.0

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import type { Failure } from '../../core/result.ts';
import { readAll } from './gate-http.ts';
import type { AskRegistry } from './gate-upstream.ts';
import { GATE_STATUS } from './translate.ts';

/** A running gate: what oras is told instead of the registry. */
export interface Gate {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Folder of the configuration that opens the gate to oras. */
  readonly configDir: string;
}

const ASKED = ['accept', 'content-type', 'content-range', 'range', 'user-agent'] as const;
const ANSWERED = [
  ...['content-type', 'content-length', 'content-range', 'docker-content-digest', 'range'],
  ...['docker-upload-uuid', 'docker-distribution-api-version', 'oci-subject', 'retry-after'],
  ...['oci-filters-applied'],
] as const;
const NAME = 'warder';

/** Opens a gate. It does not keep the process alive, and takes its folder away when that ends. */
export async function openGate(registry: URL, ask: AskRegistry): Promise<Gate> {
  const secret = randomBytes(32).toString('hex');
  const expected = `Basic ${Buffer.from(`${NAME}:${secret}`).toString('base64')}`;
  const server = createServer((request, response) => {
    void serve(request, response, { expected, registry, ask });
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const configDir = mkdtempSync(join(tmpdir(), 'warder-gate-'));
  process.once('exit', () => rmSync(configDir, { recursive: true, force: true }));
  const auth = Buffer.from(`${NAME}:${secret}`).toString('base64');
  const config = JSON.stringify({ auths: { [host]: { auth } } });
  writeFileSync(join(configDir, 'config.json'), config, { mode: 0o600, flag: 'wx' });
  return { host, configDir };
}

interface Context {
  readonly expected: string;
  readonly registry: URL;
  readonly ask: AskRegistry;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { expected, registry, ask }: Context,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    if (!isSame(request.headers.authorization ?? '', expected)) {
      request.resume();
      response.writeHead(401, { 'www-authenticate': `Basic realm="${NAME}"` }).end();
      return;
    }
    const path = request.url ?? '';
    const body = await readAll(request, LIMITS.bundleBytesMax);
    if (body === null || !path.startsWith('/v2/')) {
      response.writeHead(400).end();
      return;
    }
    const headers = Object.fromEntries(
      ASKED.flatMap((it) => (request.headers[it] === undefined ? [] : [[it, request.headers[it]]])),
    );
    const method = request.method ?? 'GET';
    const length = body.length > 0 || !isRead(method) ? { 'content-length': body.length } : {};
    const asked = { method, path, headers: { ...headers, ...length }, body };
    const answer = await ask(asked, gone.signal);
    if (!answer.ok) refuse(response, answer.error);
    else pass(answer.value, response, registry);
  } catch (cause) {
    // Errors of the network have a code; what has none is a bug, and oras is told nothing then.
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) response.destroy();
    else if (!response.headersSent) response.writeHead(502).end(`the registry: ${code}`);
    else response.destroy();
  }
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function pass(answer: IncomingMessage, response: ServerResponse, registry: URL): void {
  for (const name of ANSWERED) {
    const value = answer.headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  const location = inside(answer.headers.location ?? '', registry);
  if (location !== null) response.setHeader('location', location);
  const link = /^<([^<>]{1,4096})>(; rel="?next"?)$/.exec(String(answer.headers['link'] ?? ''));
  const next = inside(link?.[1] ?? '', registry);
  if (next !== null) response.setHeader('link', `<${next}>${link?.[2] ?? ''}`);
  const status = answer.statusCode ?? 502;
  response.writeHead([...GATE_STATUS.values()].includes(status) ? 502 : status);
  answer.once('error', () => response.destroy());
  answer.pipe(response);
}

/** An address of the registry as a path; null for every other. */
function inside(address: string, registry: URL): string | null {
  if (address === '' || !URL.canParse(address, registry.href)) return null;
  const url = new URL(address, registry);
  return url.host === registry.host ? `${url.pathname}${url.search}` : null;
}

/** Told to oras by a status that only the gate uses; translate.ts finds the code again. */
function refuse(response: ServerResponse, { code }: Failure): void {
  // No body: oras would print that instead of the status, and of a HEAD it prints none.
  response.writeHead(GATE_STATUS.get(code) ?? 403, { 'content-length': 0 }).end();
}
