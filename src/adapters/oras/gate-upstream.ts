// The registry as the gate sees it: adds what proves who asks, answers challenges, follows redirects of
// reads. A redirect is followed without credentials, never to a weaker channel, a bounded number of
// times; what it leads to is content, and content is judged by its digest.
//
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { Credential } from '../../wire/docker-config.ts';
import type { Exchange, Send } from './gate-http.ts';
import { basic, checkRealm, fetchToken, parseChallenge, type Realms } from './gate-token.ts';

const REDIRECTS_MAX = 5;
const REPOSITORY = /^\/v2\/(.+)\/(?:manifests|blobs|referrers|tags)\//;

/** Asks the registry on behalf of oras. */
export type AskRegistry = (
  exchange: Omit<Exchange, 'url'> & { readonly path: string },
  signal: AbortSignal,
) => Promise<Result<IncomingMessage>>;

/** Makes the function that asks one registry; tokens are kept by scope until they are refused. */
export function createUpstream(send: Send, realms: Realms, credential: Credential): AskRegistry {
  const proofs = new Map<string, string>();
  return async ({ method, path, headers, body }, signal) => {
    const url = new URL(path, realms.registry);
    // A path that begins with two slashes would name a host.
    if (url.host !== realms.registry.host) return err(redirectRefused(path, 'it names a host'));
    const scope = scopeOf(method, url.pathname);
    const attempt = (proof: string | undefined) =>
      send({ method, url, headers: withProof(headers, proof), body }, signal);
    const first = await attempt(proofs.get(scope));
    if (first.statusCode !== 401) return followReads(send, realms, first, method, headers, signal);
    first.resume();
    const proof = await prove(send, realms, credential, first, scope, signal);
    if (!proof.ok) return proof;
    proofs.set(scope, proof.value);
    return followReads(send, realms, await attempt(proof.value), method, headers, signal);
  };
}

function withProof(headers: OutgoingHttpHeaders, proof: string | undefined): OutgoingHttpHeaders {
  return proof === undefined ? headers : { ...headers, authorization: proof };
}

/** Reads ask for less than writes: a token that leaks through a registry's log should be able to do little. */
function scopeOf(method: string, path: string): string {
  const name = REPOSITORY.exec(path)?.[1];
  if (name === undefined) return '';
  const isRead = method === 'GET' || method === 'HEAD';
  return `repository:${name}:${isRead ? 'pull' : 'pull,push'}`;
}

async function prove(
  send: Send,
  realms: Realms,
  credential: Credential,
  answer: IncomingMessage,
  scope: string,
  signal: AbortSignal,
): Promise<Result<string>> {
  const challenge = parseChallenge(answer.headers['www-authenticate']);
  if (challenge?.kind === 'basic' && credential.kind === 'password') return ok(basic(credential));
  if (challenge?.kind !== 'bearer') {
    const why = 'the registry asks for a proof that the credentials are not';
    return err(failure('fetch/registry-auth', why));
  }
  if (credential.kind === 'access') return ok(`Bearer ${credential.token}`);
  const realm = checkRealm(challenge.realm, realms);
  if (!realm.ok) return realm;
  const token = await fetchToken(send, realm.value, challenge.service, scope, credential, signal);
  return token.ok ? ok(`Bearer ${token.value}`) : token;
}

async function followReads(
  send: Send,
  realms: Realms,
  first: IncomingMessage,
  method: string,
  headers: OutgoingHttpHeaders,
  signal: AbortSignal,
): Promise<Result<IncomingMessage>> {
  let answer = first;
  let from = realms.registry;
  for (let hops = 0; isRedirect(answer); hops += 1) {
    answer.resume();
    const to = answer.headers.location ?? '';
    if (method !== 'GET' && method !== 'HEAD') return err(redirectRefused(to, 'it is a write'));
    if (hops === REDIRECTS_MAX) return err(redirectRefused(to, 'there are too many'));
    if (!URL.canParse(to, from.href)) return err(redirectRefused(to, 'it is not a URL'));
    const url = new URL(to, from);
    const mayBePlain = from.protocol === 'http:' && realms.plainHttpHosts.includes(url.host);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBePlain)) {
      return err(redirectRefused(to, 'it leads to a weaker channel'));
    }
    answer = await send({ method, url, headers, body: Buffer.alloc(0) }, signal);
    from = url;
  }
  return ok(answer);
}

function isRedirect({ statusCode }: IncomingMessage): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode ?? 0);
}

function redirectRefused(to: string, why: string) {
  return failure('fetch/redirect-refused', 'a redirect of the registry is not followed', {
    causes: [`to ${escapeAndCut(to, 200)}`, why],
  });
}
