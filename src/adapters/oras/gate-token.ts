// Access tokens of registries: what a registry asks for, and the exchange at its token realm.
//
// Invariants: a credential goes to the registry itself or to a realm on the allow list, never over a
// channel that is weaker than the registry's own, and never along a redirect. The scope that is asked
// for is ours: a registry cannot make a credential into a token for something else.
//
// SPDX-License-Identifier: Apache-2.0

import type { IncomingMessage } from 'node:http';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { Credential } from '../../wire/docker-config.ts';
import { parseStrictJson } from '../../wire/strict-json.ts';
import { readAll, type Send } from './gate-http.ts';

/** Whom credentials may be shown to. */
export interface Realms {
  /** Of the registry: `https://HOST` or, where that is allowed, `http://HOST`. */
  readonly registry: URL;
  /** `HOST` or `HOST:PORT` of token services besides the registry itself. */
  readonly allowed: readonly string[];
  readonly plainHttpHosts: readonly string[];
}

/** What a registry answers when it wants to know who asks. */
type Challenge =
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly realm: string; readonly service: string | null };

const TOKEN_BYTES_MAX = 64 * 1024;
const PARAMETER = /([a-z]{1,32})="([^"\\]{0,2048})"/gi;

/** Reads `WWW-Authenticate`; null when it is nothing that can be answered. */
export function parseChallenge(header: string | undefined): Challenge | null {
  const [, scheme, rest] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(header ?? '') ?? [];
  if (scheme?.toLowerCase() === 'basic') return { kind: 'basic' };
  if (scheme?.toLowerCase() !== 'bearer') return null;
  const given = new Map([...(rest ?? '').matchAll(PARAMETER)].map(([, k, v]) => [k, v]));
  const realm = given.get('realm');
  return realm === undefined
    ? null
    : { kind: 'bearer', realm, service: given.get('service') ?? null };
}

/** The realm as a URL when credentials may go there. */
export function checkRealm(realm: string, realms: Realms): Result<URL> {
  if (!URL.canParse(realm)) return rejected(realm, 'it is not a URL');
  const url = new URL(realm);
  const isRegistry = url.host === realms.registry.host;
  if (!isRegistry && !realms.allowed.includes(url.host)) {
    return rejected(realm, 'its host is not the registry, nor an allowed token realm');
  }
  const mayBePlain = realms.plainHttpHosts.includes(url.host);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBePlain)) {
    return rejected(realm, 'it is not https');
  }
  if (url.username !== '' || url.password !== '') return rejected(realm, 'it carries a name');
  return ok(url);
}

function rejected(realm: string, why: string): Result<never> {
  return err(
    failure('fetch/auth-realm-rejected', 'the registry asks for credentials at another place', {
      causes: [`realm ${escapeAndCut(realm, 200)}`, why],
      hints: ['if that is its token service, allow the host by tokenRealms or --token-realm'],
    }),
  );
}

/** Exchanges the credential for an access token of one scope. */
export async function fetchToken(
  send: Send,
  realm: URL,
  service: string | null,
  scope: string,
  credential: Credential,
  signal: AbortSignal,
): Promise<Result<string>> {
  const fields = new URLSearchParams({ scope, ...(service === null ? {} : { service }) });
  const isIdentity = credential.kind === 'identity';
  if (credential.kind === 'identity') {
    fields.set('grant_type', 'refresh_token');
    fields.set('client_id', 'warder');
    fields.set('refresh_token', credential.token);
  }
  const url = new URL(realm);
  if (!isIdentity) for (const [name, value] of fields) url.searchParams.append(name, value);
  const body = Buffer.from(isIdentity ? fields.toString() : '');
  const headers = isIdentity
    ? { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length }
    : { authorization: basic(credential) };
  const method = isIdentity ? 'POST' : 'GET';
  const answer = await send({ method, url, headers, body }, signal);
  return readToken(answer, realm);
}

async function readToken(answer: IncomingMessage, realm: URL): Promise<Result<string>> {
  const bytes = await readAll(answer, TOKEN_BYTES_MAX);
  const json = bytes === null ? null : parseStrictJson(bytes, { bytesMax: TOKEN_BYTES_MAX });
  if (answer.statusCode === 200 && json?.ok === true) {
    const fields = new Map(Object.entries((json.value ?? {}) as Record<string, unknown>));
    const token = fields.get('token') ?? fields.get('access_token');
    // What goes into a header is a token of RFC 6750 or nothing.
    if (typeof token === 'string' && /^[A-Za-z0-9._~+/=-]{1,32768}$/.test(token)) return ok(token);
  }
  return err(noToken(`${realm.host} answered ${answer.statusCode ?? 'nothing'} and no token`));
}

function noToken(why: string): Failure {
  return failure('fetch/registry-auth', 'no access token was given', { causes: [why] });
}

/** The header that proves a name and a password. */
export function basic(credential: Credential): string {
  if (credential.kind !== 'password') return '';
  const { username, password } = credential;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
