// M: manifests, spoiled as text or as JSON. What is attached is good, for the manifest that was not spoiled.
//
// SPDX-License-Identifier: Apache-2.0

import { MEDIA } from '../../../src/core/bundle.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { Hostile } from '../../support/hostile.ts';
import { good } from './keys.ts';

type Json = Record<string, unknown>;
interface Manifest extends Json {
  config: Json;
  layers: (Json & { annotations: Json })[];
}

const bytes = (text: string) => new TextEncoder().encode(text);

function text(
  id: string,
  what: string,
  code: ErrorCode,
  spoil: (text: string) => string | Uint8Array,
): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: async (draft) => {
      const spoiled = spoil(new TextDecoder().decode(draft.manifest));
      const manifest = typeof spoiled === 'string' ? bytes(spoiled) : spoiled;
      return { ...(await good(draft)), manifest };
    },
  };
}

function json(
  id: string,
  what: string,
  code: ErrorCode,
  spoil: (manifest: Manifest) => unknown,
): Hostile {
  return text(id, what, code, (it) => {
    const manifest = JSON.parse(it) as Manifest;
    return JSON.stringify(spoil(manifest) ?? manifest);
  });
}

function layer(id: string, what: string, code: ErrorCode, change: Json): Hostile {
  return json(id, what, code, ({ layers: [first] }) => {
    if (first !== undefined) Object.assign(first, change);
  });
}

const titled = (what: string, title: string): Hostile =>
  layer('M13', `a path that is ${what}`, 'fetch/path-unsafe', {
    annotations: { 'org.opencontainers.image.title': title },
  });
const sized = (what: string, spelled: string): Hostile =>
  text('M08', `a size that is ${what}`, 'fetch/descriptor-invalid', (it) =>
    it.replace(/"size":\d+/, `"size":${spelled}`),
  );
const INVALID = 'fetch/manifest-invalid';

export const MANIFESTS: readonly Hostile[] = [
  text('M01', 'over 4 MiB', 'fetch/manifest-too-large', () => '['.repeat(4 * 1024 * 1024 + 1)),
  text('M02', 'half a document', INVALID, (it) => it.slice(0, -1)),
  text('M02', 'a byte order mark', INVALID, (it) => `\ufeff${it}`),
  text('M02', 'trailing bytes', INVALID, (it) => `${it}x`),
  text('M02', 'a key twice', INVALID, (it) => it.replace('{', '{"layers":[],')),
  json('M03', 'an index', 'fetch/manifest-type', () => ({
    ...{ schemaVersion: 2, mediaType: MEDIA.index, manifests: [] },
  })),
  json('M03', 'an index in an index', 'fetch/manifest-type', (it) => ({
    ...{ schemaVersion: 2, mediaType: MEDIA.index },
    manifests: [{ mediaType: MEDIA.index, digest: it.config['digest'], size: 2 }],
  })),
  json('M04', 'schema 1', 'fetch/manifest-type', (it) => ({ ...it, schemaVersion: 1 })),
  json('M04', "Docker's manifest", 'fetch/manifest-type', (it) => ({
    ...it,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  })),
  json('M05', 'no artifact type', 'fetch/artifact-type', ({ artifactType: _, ...it }) => it),
  json('M05', 'another artifact type', 'fetch/artifact-type', (it) => ({
    ...it,
    artifactType: 'application/vnd.example.other',
  })),
  layer('M07', 'an unknown layer type', 'fetch/layer-set', { mediaType: 'text/plain' }),
  json('M07', 'two layers with one path', 'fetch/layer-set', (it) => {
    it.layers.push(...it.layers.slice(0, 1));
  }),
  sized('negative', '-1'),
  sized('a fraction', '1.5'),
  sized('no number of this world', '1e309'),
  sized('above every safe number', '9007199254740993'),
  sized('a text', '"7"'),
  json('M09', 'more bytes together than a bundle may have', 'fetch/bundle-too-large', (it) => {
    const [first] = it.layers;
    if (first === undefined) throw new Error('a bundle has layers');
    const more = Array.from({ length: 20 }, (_, at) => ({
      ...{ mediaType: first['mediaType'], size: 1024 * 1024 },
      digest: `sha256:${String(at).padStart(64, '0')}`,
      annotations: { 'org.opencontainers.image.title': `policies/${at}.yaml` },
    }));
    it.layers.push(...more);
  }),
  json('M10', '10,000 layers', 'fetch/layer-count', (it) => {
    const [first] = it.layers;
    if (first !== undefined) it.layers = Array.from({ length: 10_000 }, () => first);
  }),
  layer('M12', 'a wish to be unpacked', 'fetch/unpack-forbidden', {
    annotations: {
      'org.opencontainers.image.title': 'policies/a.yaml',
      'io.deis.oras.content.unpack': 'true',
    },
  }),
  titled('above the folder', '../../etc/cron.d/x'),
  titled('absolute', '/etc/cron.d/x'),
  titled('of another system', 'C:\\x'),
  titled('cut by a zero', 'a\u0000b'),
  titled('the folder itself', '.'),
  titled('5,000 characters long', 'x'.repeat(5000)),
  titled('a device of another system', 'CON'),
  text('M15', 'JSON 100,000 deep', INVALID, () => '['.repeat(100_000) + ']'.repeat(100_000)),
  text('M16', 'a key that engines obey', INVALID, (it) =>
    it.replace('{', '{"__proto__":{"polluted":1},'),
  ),
  json('M17', 'the empty config', 'fetch/config-invalid', (it) => {
    it.config = {
      mediaType: MEDIA.empty,
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    };
  }),
];
