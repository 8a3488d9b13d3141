// A registry on loopback whose every answer a test decides: it has exactly what is put on it, whether that
// fits together or not, and `lie` may answer in its place. It has the referrers API.
//
// SPDX-License-Identifier: Apache-2.0

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BundleBytes, MEDIA } from '../../src/core/bundle.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeReferrer } from '../../src/wire/referrer.ts';
import { type Lie, send } from './lying-registry.ts';

/** What stands under the tag, and whatever else there is. */
export interface Offer {
  readonly manifest: Uint8Array;
  readonly blobs: readonly Uint8Array[];
  /** Manifests that refer to it. */
  readonly referrers: readonly Uint8Array[];
  /** What the list of referrers says instead of what there is. */
  readonly listed?: readonly unknown[];
  /** Manifests under other tags. */
  readonly tags?: Readonly<Record<string, Uint8Array>>;
  readonly lie?: Lie;
}

/** A running registry. */
export interface Shelf {
  readonly host: string;
  /** Shows this from now on, and nothing else. */
  show(offer: Offer): void;
  stop(): Promise<void>;
}

/** A bundle with attestations of these bytes. */
export function offerOf(
  bundle: Pick<BundleBytes, 'manifest' | 'config' | 'files'>,
  attestations: readonly Uint8Array[],
): Offer {
  const { manifest, config, files } = bundle;
  return {
    manifest,
    blobs: [config, ...files.map((it) => it.bytes), ...attestations, Buffer.from('{}')],
    referrers: attestations.map((it) => referrerOf(manifest, it)),
  };
}

/** The manifest that attaches an attestation. */
export function referrerOf(manifest: Uint8Array, attestation: Uint8Array): Uint8Array {
  const size = attestation.length;
  const layer = { mediaType: MEDIA.sigstore, digest: digestOf(attestation), size };
  return encodeReferrer(entryOf(manifest), layer, attestation, 'https://example.com/x').manifest;
}

/** How a list names a manifest. */
export function entryOf(manifest: Uint8Array) {
  return { mediaType: MEDIA.manifest, digest: digestOf(manifest), size: manifest.length };
}

/** Starts one that has nothing yet. */
export async function startShelf(): Promise<Shelf> {
  let offer: Offer = { manifest: new Uint8Array(), blobs: [], referrers: [] };
  const server = createServer((request, response) => {
    if (offer.lie?.(request, response) !== true) answer(offer, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    show: (next) => {
      offer = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(offer: Offer, request: IncomingMessage, response: ServerResponse): void {
  const [kind, name = ''] = (request.url ?? '').split('?')[0]?.split('/').slice(-2) ?? [];
  if (kind === 'referrers') {
    const manifests = offer.listed ?? offer.referrers.map(entryOf);
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests };
    send(request, response, 200, MEDIA.index, Buffer.from(JSON.stringify(index)));
    return;
  }
  const isManifest = kind === 'manifests';
  const bytes = isManifest
    ? findManifest(offer, name)
    : offer.blobs.find((it) => digestOf(it) === name);
  if (bytes === undefined) {
    send(request, response, 404, 'application/json', Buffer.from('{"errors":[]}'));
    return;
  }
  response.setHeader('docker-content-digest', digestOf(bytes));
  const type = isManifest ? typeOf(bytes) : 'application/octet-stream';
  send(request, response, 200, type, bytes);
}

function findManifest({ manifest, referrers, tags }: Offer, name: string): Uint8Array | undefined {
  if (name === 'prod') return manifest;
  const tagged = Object.entries(tags ?? {}).find(([tag]) => tag === name)?.[1];
  return tagged ?? [manifest, ...referrers].find((it) => digestOf(it) === name);
}

/** What the manifest says of itself, as a registry that does not look further. */
function typeOf(bytes: Uint8Array): string {
  const said = /"mediaType":\s*"(application\/[^"]+(?:index|manifest)[^"]*)"/.exec(
    Buffer.from(bytes.subarray(0, 4096)).toString('latin1'),
  );
  return said?.[1] ?? MEDIA.manifest;
}
