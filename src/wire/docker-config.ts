// The `config.json` that docker, oras and podman keep registry credentials in. One entry is read: that
// of the very host that is spoken to. A host whose name contains, begins or ends like another is another
// host (bad input T15). Credential helpers are programs of a stranger's choice and are not run.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { err, failure, ok, type Result } from '../core/result.ts';
import { parseStrictJson } from './strict-json.ts';
import { fitShape } from './zod-words.ts';

/** What proves who asks. Never printed. */
export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** Exchanged for an access token at the token realm (OAuth 2 refresh token). */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent to the registry as it is. */
  | { readonly kind: 'access'; readonly token: string };

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});
const shape = z.looseObject({ auths: z.record(z.string(), entry).optional() });

/** Bytes of a configuration that are read at most. */
export const DOCKER_CONFIG_BYTES_MAX = 1024 * 1024;

/** The credential of exactly this host (`HOST` or `HOST:PORT`), or null. */
export function findCredential(bytes: Uint8Array, host: string): Result<Credential | null> {
  const json = parseStrictJson(bytes, { bytesMax: DOCKER_CONFIG_BYTES_MAX });
  const parsed = json.ok ? fitShape(shape, json.value) : null;
  if (parsed?.success !== true) {
    // Nothing of the file is repeated: it holds secrets.
    return err(failure('config/invalid', 'config.json of the credentials is not one of docker'));
  }
  const auths = new Map(Object.entries(parsed.data.auths ?? {}));
  const found = auths.get(host) ?? auths.get(`https://${host}`) ?? auths.get(`https://${host}/v1/`);
  return ok(found === undefined ? null : toCredential(found));
}

function toCredential(found: z.infer<typeof entry>): Credential | null {
  if (found.registrytoken) return { kind: 'access', token: found.registrytoken };
  if (found.identitytoken) return { kind: 'identity', token: found.identitytoken };
  const plain = Buffer.from(found.auth ?? '', 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  const username = found.username ?? (colon < 0 ? '' : plain.slice(0, colon));
  const password = found.password ?? (colon < 0 ? '' : plain.slice(colon + 1));
  return password === '' ? null : { kind: 'password', username, password };
}
