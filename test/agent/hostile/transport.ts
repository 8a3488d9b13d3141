// T and X05: registries that fail, stall, send something else, or lead away; and an oras that may not be run.
//
// SPDX-License-Identifier: Apache-2.0

import { MEDIA } from '../../../src/core/bundle.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { digestOf } from '../../../src/wire/content.ts';
import { encodeManifest, parseManifest } from '../../../src/wire/manifest.ts';
import { attach, type Draft, type Hostile } from '../../support/hostile.ts';
import { type Lie, send } from '../../support/lying-registry.ts';
import type { Offer } from '../../support/shelf.ts';
import { good } from './keys.ts';

const NONE = Buffer.from('{"errors":[]}');
const JSON_TYPE = 'application/json';

/** A bundle whose manifest carries nothing, so that every blob is asked for. */
function bare(draft: Draft): Offer {
  const parsed = parseManifest(draft.manifest);
  if (!parsed.ok) throw new Error('the draft is a bundle');
  return attach({ ...draft, manifest: encodeManifest(parsed.value) });
}

/** Answers what is asked for below some part of the address. */
const answering =
  (part: string, status: number, type: string, body: Uint8Array, headers = {}): Lie =>
  (request, response) => {
    if (request.url?.includes(part) !== true) return false;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, `${value}`);
    send(request, response, status, type, body);
    return true;
  };

function lying(
  id: string,
  what: string,
  codes: readonly ErrorCode[],
  lie: (draft: Draft) => Lie,
  reach: Hostile['reach'] = {},
): Hostile {
  return {
    ...{ id, what, codes, reach },
    offer: async (draft) => ({ ...(await good(draft)), lie: lie(draft) }),
  };
}

/** What is lied about is the last file of a bundle. */
function file(id: string, what: string, code: ErrorCode, spoil: (it: Buffer) => Buffer): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: (draft) => {
      const last = draft.files.at(-1);
      if (last === undefined) throw new Error('the draft has files');
      const body = spoil(Buffer.from(last.bytes));
      return { ...bare(draft), lie: answering(`/blobs/${last.digest}`, 200, 'text/plain', body) };
    },
  };
}

const UNAVAILABLE = ['fetch/registry-unavailable', 'fetch/timeout'] as const;
const SHORT = { timeoutMs: 3_000 };

export const TRANSPORT: readonly Hostile[] = [
  lying(
    'T01',
    'a registry that hangs up',
    UNAVAILABLE,
    () => (request) => {
      request.socket.destroy();
      return true;
    },
    SHORT,
  ),
  ...(
    [
      [500, {}],
      [429, {}],
      [429, { 'retry-after': 3600 }],
    ] as const
  ).map(([status, headers]) =>
    lying(
      'T01',
      `${status} with ${JSON.stringify(headers)}`,
      UNAVAILABLE,
      () => answering('/v2/', status, JSON_TYPE, NONE, headers),
      SHORT,
    ),
  ),
  lying('T02', 'other bytes than were named by HEAD', ['fetch/digest-mismatch'], (draft) => {
    const other = Buffer.concat([draft.manifest, Buffer.from(' ')]);
    return (request, response) => {
      if (request.method !== 'GET' || request.url?.includes('/manifests/') !== true) return false;
      response.setHeader('docker-content-digest', digestOf(other));
      send(request, response, 200, MEDIA.manifest, other);
      return true;
    };
  }),
  lying(
    'T03',
    'other bytes under the digest, with a header that agrees',
    ['fetch/digest-mismatch'],
    (draft) =>
      answering(`/manifests/${draft.digest}`, 200, MEDIA.manifest, Buffer.from('{"a":1}'), {
        'docker-content-digest': draft.digest,
      }),
  ),
  file('T03', 'other bytes of a file, of the same length', 'fetch/digest-mismatch', (it) =>
    Buffer.from(it.map((byte) => byte ^ 1)),
  ),
  file('T04', 'a file that is longer', 'fetch/blob-size-exceeded', (it) =>
    Buffer.concat([it, Buffer.alloc(1000, 0x20)]),
  ),
  file('T05', 'a file that is shorter', 'fetch/blob-truncated', (it) => it.subarray(2)),
  {
    id: 'T07',
    what: 'a body that drips',
    codes: ['fetch/timeout'],
    reach: SHORT,
    offer: (draft) => ({
      ...bare(draft),
      lie: (request, response) => {
        if (request.url?.includes('/blobs/') !== true) return false;
        response.writeHead(200, { 'content-length': draft.config.length });
        response.write('{');
        return true;
      },
    }),
  },
  ...[401, 403].map((status) =>
    lying('T12', `${status} for everything`, ['fetch/registry-auth'], () =>
      answering('/v2/', status, JSON_TYPE, NONE),
    ),
  ),
  lying('T13', 'HTML with status 200', ['fetch/manifest-invalid', 'fetch/digest-mismatch'], () =>
    answering('/manifests/', 200, 'text/html', Buffer.from('<html>sign in</html>')),
  ),
  lying('T16', 'plain HTTP that nobody allowed', ['fetch/insecure-registry'], () => () => false, {
    plainHttpHosts: [],
  }),
  ...['/nowhere/oras', '/bin/true'].map((orasPath) =>
    lying('X05', `oras at ${orasPath}`, ['host/tool-untrusted'], () => () => false, { orasPath }),
  ),
];
