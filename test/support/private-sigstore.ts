// A private sigstore on loopback over HTTP: a certificate authority with its certificate log, a Rekor of
// version 1, a Rekor of version 2 and a timestamp authority. Real certificates, entries and timestamps,
// by @sigstore/mock; what the mock leaves out of real logs is added here (entries are rewritten as a log
// rewrites them, and the entries of version 2 are its own).
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  tsaHandler,
} from '@sigstore/mock';
import type { TrustedRootText } from '../../src/core/verify/trust.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { parseTrustedRoot } from '../../src/wire/trusted-root.ts';
import { unwrap } from './result.ts';

type KeyPair = ReturnType<typeof makeKeys>;
type CertificateAuthority = Awaited<ReturnType<typeof initializeCA>>;

/** A running private sigstore. */
export interface PrivateSigstore {
  readonly url: string;
  readonly authority: CertificateAuthority;
  /** The TrustedRoot document, as a value to spoil and as hosts read it. */
  readonly rootJson: RootJson;
  readonly root: TrustedRootText;
  signingConfig(rekor: 1 | 2): Record<string, unknown>;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

export interface RootJson {
  mediaType: string;
  tlogs: { publicKey: { validFor: { start?: string; end?: string } } }[];
  certificateAuthorities: unknown[];
  ctlogs: unknown[];
  timestampAuthorities: unknown[];
}

function makeKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
}

const der = (keys: KeyPair) => keys.publicKey.export({ type: 'spki', format: 'der' });
const idOf = (keys: KeyPair) => createHash('sha256').update(der(keys)).digest();
const base64 = (bytes: ArrayBufferView) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Starts the services; `clock` is the time they go by. */
export async function startSigstore(clock?: Date): Promise<PrivateSigstore> {
  const keys = { ca: makeKeys(), ct: makeKeys(), v1: makeKeys(), v2: makeKeys(), tsa: makeKeys() };
  const requests: string[] = [];
  const handlers: Handlers = new Map();
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    void answer(request, response, handlers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const ctlog = await initializeCTLog(keys.ct, clock);
  const authority = await initializeCA(keys.ca, ctlog, clock);
  const stamped = clock ?? new Date();
  const tsa = await initializeTSA(keys.tsa, stamped);
  const log = await initializeTLog(url, keys.v1, clock);
  const fulcio = fulcioHandler(authority);
  handlers.set(fulcio.path, async (body, token) => {
    const made = await fulcio.fn(toFulcioRequest(body, token) as never);
    // The authority itself answers 200, and cosign takes nothing else.
    return { statusCode: made.statusCode === 201 ? 200 : made.statusCode, response: made.response };
  });
  const stamper = tsaHandler(tsa);
  handlers.set(stamper.path, (body) => {
    // Whole seconds: the mock writes fractions in a form that DER does not allow.
    if (clock === undefined) stamped.setTime(Math.floor(Date.now() / 1000) * 1000);
    return stamper.fn(toStampRequest(body) as never) as never;
  });
  handlers.set('/api/v1/log/entries', async (body) => {
    const made = await log.log(rewriteV1(JSON.parse(body.toString())));
    // cosign finds the entry in the answer by this header.
    const headers = { etag: Object.keys(made)[0] ?? '' };
    return { statusCode: 201, response: JSON.stringify(made), headers };
  });
  handlers.set('/api/v2/log/entries', async (body) => ({
    statusCode: 201,
    response: JSON.stringify(logV2(JSON.parse(body.toString()), url, keys.v2)),
  }));
  const rootJson = describeRoot(url, keys, authority.rootCertificate, [
    tsa.intCertificate,
    tsa.rootCertificate,
  ]);
  return {
    url,
    authority,
    rootJson,
    root: unwrap(parseTrustedRoot(Buffer.from(JSON.stringify(rootJson)))),
    signingConfig: (rekor) => describeSigning(url, rekor),
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Answer {
  readonly statusCode: number;
  readonly response: string | Pick<Uint8Array, 'buffer' | 'byteOffset' | 'byteLength'>;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handlers = Map<string, (body: Buffer, token: string) => Promise<Answer>>;

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: Handlers,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const handler = handlers.get(request.url ?? '');
  const made: Answer =
    handler === undefined
      ? { statusCode: 404, response: 'not found' }
      : await handler(Buffer.concat(chunks), request.headers.authorization ?? '');
  response.writeHead(made.statusCode, { 'content-type': 'application/json', ...made.headers });
  const { response: text } = made;
  response.end(
    typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength),
  );
}

/** The token is in the body, or in a header as cosign sends it. */
function toFulcioRequest(body: Buffer, header: string): string {
  const request = JSON.parse(body.toString()) as Record<string, unknown>;
  const oidcIdentityToken = header.replace(/^Bearer /, '');
  return JSON.stringify({ credentials: { oidcIdentityToken }, ...request });
}

// The request of RFC 3161 as cosign sends it, as far as the mock needs it: the SHA-256 in it is its only
// octet string of 32 bytes, and certificates are always asked for. Its nonce is nobody's business here.
function toStampRequest(body: Buffer): string {
  if (body[0] === 0x7b) return body.toString();
  const at = body.indexOf(Buffer.of(0x04, 0x20)) + 2;
  const artifactHash = body.subarray(at, at + 32).toString('base64');
  return JSON.stringify({ artifactHash, hashAlgorithm: 'sha256', certificates: true });
}

/** What a log keeps of a proposed DSSE entry: hashes, the signature and who verifies it. */
function rewriteV1(proposed: { kind: string; spec: { proposedContent?: ProposedDsse } }): object {
  const content = proposed.spec.proposedContent;
  if (proposed.kind !== 'dsse' || content === undefined) return proposed;
  const envelope = JSON.parse(content.envelope) as {
    payload: string;
    signatures: { sig: string }[];
  };
  const hash = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: hash(content.envelope) },
      payloadHash: { algorithm: 'sha256', value: hash(Buffer.from(envelope.payload, 'base64')) },
      signatures: [{ signature: envelope.signatures[0]?.sig, verifier: content.verifiers[0] }],
    },
  };
}

interface ProposedDsse {
  readonly envelope: string;
  readonly verifiers: readonly string[];
}

interface RequestV2 {
  readonly dsseRequestV002?: {
    readonly envelope: {
      readonly payload: string;
      readonly signatures: readonly { readonly sig: string }[];
    };
    readonly verifiers: readonly unknown[];
  };
  readonly hashedRekordRequestV002?: { readonly digest: string; readonly signature: unknown };
}

/** What a log of version 2 keeps of a request. */
function bodyV2({ dsseRequestV002: dsse, hashedRekordRequestV002: hashed }: RequestV2) {
  const algorithm = 'SHA2_256';
  if (dsse === undefined) {
    const hashedRekordV002 = {
      data: { algorithm, digest: hashed?.digest },
      signature: hashed?.signature,
    };
    return { kind: 'hashedrekord', spec: { hashedRekordV002 } };
  }
  const payload = Buffer.from(dsse.envelope.payload, 'base64');
  const digest = createHash('sha256').update(payload).digest('base64');
  const signature = { content: dsse.envelope.signatures[0]?.sig, verifier: dsse.verifiers[0] };
  const dsseV002 = { payloadHash: { algorithm, digest }, signatures: [signature] };
  return { kind: 'dsse', spec: { dsseV002 } };
}

/** An entry as Rekor of version 2 answers it: no time of its own, and a proof in a tree of one. */
function logV2(request: RequestV2, url: string, keys: KeyPair): object {
  const kept = bodyV2(request);
  const body = Buffer.from(toCanonicalJson({ apiVersion: '0.0.2', ...kept }));
  const rootHash = createHash('sha256').update(Buffer.of(0)).update(body).digest();
  const origin = new URL(url).hostname;
  const note = `${origin}\n1\n${rootHash.toString('base64')}\n`;
  const signature = sign('sha256', Buffer.from(note), keys.privateKey);
  const line = Buffer.concat([idOf(keys).subarray(0, 4), signature]).toString('base64');
  return {
    logIndex: '0',
    logId: { keyId: idOf(keys).toString('base64') },
    kindVersion: { kind: kept.kind, version: '0.0.2' },
    integratedTime: '0',
    inclusionProof: {
      logIndex: '0',
      rootHash: rootHash.toString('base64'),
      treeSize: '1',
      hashes: [],
      checkpoint: { envelope: `${note}\n\u2014 ${origin} ${line}\n` },
    },
    canonicalizedBody: body.toString('base64'),
  };
}

function describeRoot(
  url: string,
  keys: Readonly<Record<'ct' | 'v1' | 'v2', KeyPair>>,
  ca: ArrayBufferView,
  tsa: readonly ArrayBufferView[],
): RootJson {
  const validFor = { start: '2020-01-01T00:00:00Z' };
  const logOf = (one: KeyPair) => ({
    baseUrl: url,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: der(one).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { ...validFor },
    },
    logId: { keyId: idOf(one).toString('base64') },
  });
  const authorityOf = (certificates: readonly ArrayBufferView[]) => ({
    subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
    uri: url,
    certChain: { certificates: certificates.map((it) => ({ rawBytes: base64(it) })) },
    validFor,
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(keys.v1), logOf(keys.v2)],
    certificateAuthorities: [authorityOf([ca])],
    ctlogs: [logOf(keys.ct)],
    timestampAuthorities: [authorityOf(tsa)],
  };
}

function describeSigning(url: string, rekor: 1 | 2): Record<string, unknown> {
  const service = (majorApiVersion: number) => ({
    url,
    majorApiVersion,
    validFor: { start: '2020-01-01T00:00:00Z' },
    operator: 'sigstore.mock',
  });
  return {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service(1)],
    oidcUrls: [],
    rekorTlogUrls: [service(rekor)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [{ ...service(1), url: `${url}/api/v1/timestamp` }],
    tsaConfig: { selector: 'ANY' },
  };
}

/** A token of an OIDC provider that the private authority believes. */
export function makeToken(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  return `${part({ alg: 'none' })}.${part({ exp, ...claims })}.c2ln`;
}
