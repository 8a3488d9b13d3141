// Hostile manifests, each with the code that it must give.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { makeBundleContent } from '../../test/support/bundle-content.ts';
import { LIMITS } from '../core/limits.ts';
import { encodeManifest, parseManifest } from './manifest.ts';

const GOOD = makeBundleContent('registry.example.com/acme/p').manifest;
const TEXT = new TextDecoder().decode(GOOD);
const bytes = (text: string) => new TextEncoder().encode(text);

type Json = Record<string, unknown>;
interface Draft extends Json {
  config: Json;
  layers: (Json & { annotations: Json })[];
}

function changed(change: (draft: Draft) => unknown): Uint8Array {
  const draft = JSON.parse(TEXT) as Draft;
  const result = change(draft);
  return bytes(JSON.stringify(result === undefined ? draft : result));
}
const first = (draft: Draft) => draft.layers[0] ?? { annotations: {} };
const codeOf = (manifest: Uint8Array) => {
  const parsed = parseManifest(manifest);
  return parsed.ok ? 'parsed' : parsed.error.code;
};
const check = (code: string, cases: Readonly<Record<string, Uint8Array>>) =>
  expect(Object.entries(cases).map(([name, manifest]) => [name, codeOf(manifest)])).toEqual(
    Object.keys(cases).map((name) => [name, code]),
  );

/** A size as it is spelled, which JSON.stringify would not keep. */
const withSize = (spelled: string) => bytes(TEXT.replace(/"size":\d+/, `"size":${spelled}`));

const withData = (data: unknown) =>
  changed((draft) => {
    first(draft)['data'] = data;
  });

describe('a bundle manifest', () => {
  it('is read back equal to what was written', () => {
    const parsed = parseManifest(GOOD);
    expect(parsed.ok && encodeManifest(parsed.value)).toEqual(GOOD);
  });

  it('M01 over 4 MiB is refused before parsing', () => {
    const large = bytes(`${'['.repeat(LIMITS.manifestBytesMax)} not even JSON`);
    expect(codeOf(large)).toBe('fetch/manifest-too-large');
  });

  it('M02 M15 M16 what is not strict JSON is fetch/manifest-invalid', () => {
    check('fetch/manifest-invalid', {
      empty: bytes(''),
      'half a document': bytes(TEXT.slice(0, -1)),
      'a byte order mark': bytes(`\ufeff${TEXT}`),
      'trailing bytes': bytes(`${TEXT}x`),
      'a second document': bytes(`${TEXT}${TEXT}`),
      'a key twice': bytes(TEXT.replace('{', '{"layers":[],')),
      'a key twice, once escaped': bytes(TEXT.replace('{', '{"l\\u0061yers":[],')),
      'invalid UTF-8': new Uint8Array([...GOOD.slice(0, -1), 0xff, 0x7d]),
      'depth 100 000': bytes('['.repeat(100_000) + ']'.repeat(100_000)),
      __proto__: bytes(TEXT.replace('{', '{"__proto__":{"polluted":1},')),
      constructor: bytes(TEXT.replace('{', '{"constructor":{},')),
      'an unknown field': changed((draft) => ({ ...draft, extra: 1 })),
      'no object': bytes('[]'),
      null: bytes('null'),
    });
    expect(({} as Json)['polluted']).toBeUndefined();
  });

  it('M03 M04 another kind of manifest is fetch/manifest-type', () => {
    check('fetch/manifest-type', {
      index: changed(() => ({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: [],
      })),
      'manifests beside layers': changed((draft) => ({ ...draft, manifests: [] })),
      'schema 1': changed((draft) => ({ ...draft, schemaVersion: 1 })),
      docker: changed((draft) => ({
        ...draft,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      })),
    });
  });

  it('M05 a missing or foreign artifact type is fetch/artifact-type', () => {
    check('fetch/artifact-type', {
      missing: changed(({ artifactType: _type, ...draft }) => draft),
      foreign: changed((draft) => ({ ...draft, artifactType: `${draft['artifactType']};evil` })),
    });
  });

  it('M07 other layers than those of a bundle are fetch/layer-set', () => {
    check('fetch/layer-set', {
      'an unknown media type': changed((draft) => {
        first(draft)['mediaType'] = 'application/vnd.oci.image.layer.v1.tar+gzip';
      }),
      'none at all': changed((draft) => ({ ...draft, layers: [] })),
      'no compiled policy': changed((draft) => ({ ...draft, layers: draft.layers.slice(0, 2) })),
      'one path twice': changed((draft) => ({ ...draft, layers: [first(draft), ...draft.layers] })),
      'one path twice but for case': changed((draft) => {
        const again = structuredClone(first(draft));
        again.annotations['org.opencontainers.image.title'] = 'POLICIES/A.yaml';
        draft.layers.push(again);
      }),
    });
  });

  it('M08 a size that is no plain integer is fetch/descriptor-invalid', () => {
    check('fetch/descriptor-invalid', {
      negative: withSize('-1'),
      fractional: withSize('1.5'),
      'an exponent': withSize('1e3'),
      'beyond every number': withSize('1e309'),
      'above 2^53': withSize('9007199254740993'),
      'a string': withSize('"12"'),
      'negative zero': withSize('-0'),
      urls: changed((draft) => {
        first(draft)['urls'] = ['https://example.com/other'];
      }),
      'inline data that is not base64': withData('eA'),
      'inline data that is no text': withData(1),
      'other annotations': changed((draft) => {
        first(draft).annotations['note'] = 'x';
      }),
    });
  });

  it('M08 inline data that is other content than its descriptor names is refused as a blob would be', () => {
    const codes = ['x', '# policy 1\n and more', '# policy 2\n'].map((text) =>
      codeOf(withData(Buffer.from(text).toString('base64'))),
    );
    expect(codes).toEqual([
      'fetch/blob-truncated',
      'fetch/blob-size-exceeded',
      'fetch/digest-mismatch',
    ]);
  });

  it('M09 many files below their cap but together above theirs are fetch/bundle-too-large', () => {
    const many = changed((draft) => {
      for (let n = 0; n < 5; n += 1) {
        const layer = structuredClone(first(draft));
        layer['size'] = LIMITS.fileBytesMax;
        layer.annotations['org.opencontainers.image.title'] = `policies/n${n}.yaml`;
        draft.layers.push(layer);
      }
    });
    const one = changed((draft) => {
      first(draft)['size'] = LIMITS.fileBytesMax + 1;
    });
    const config = changed((draft) => {
      draft.config['size'] = LIMITS.configBytesMax + 1;
    });
    check('fetch/bundle-too-large', { many, one, config });
  });

  it('M10 10 000 layers are fetch/layer-count', () => {
    const layers = Array.from({ length: 10_000 }, () => ({}));
    expect(codeOf(changed((draft) => ({ ...draft, layers })))).toBe('fetch/layer-count');
  });

  it('M12 a layer that asks to be unpacked is fetch/unpack-forbidden', () => {
    for (const value of ['true', 'false']) {
      const unpack = changed((draft) => {
        first(draft).annotations['io.deis.oras.content.unpack'] = value;
      });
      expect(codeOf(unpack)).toBe('fetch/unpack-forbidden');
    }
  });

  it('M13 a path that could leave its folder is fetch/path-unsafe', () => {
    const paths = [
      ...['../../etc/cron.d/x', '/etc/passwd', 'C:\\x', 'C:/x', 'a\0b', '.', '..', '', 'a//b'],
      ...['a/../b', 'a/./b', 'x'.repeat(5000), 'CON', 'policies/con.yaml', 'a/LPT1', '.git/hooks'],
      ...['a\nb', '-rf', 'a/-b', 'name.', 'b\u0430nk.yaml', 'a b', '~/x', 'a/'],
    ];
    const at = (path: string) =>
      changed((draft) => {
        first(draft).annotations['org.opencontainers.image.title'] = path;
      });
    check('fetch/path-unsafe', Object.fromEntries(paths.map((path) => [path, at(path)])));
    const missing = changed((draft) => {
      first(draft).annotations = {};
    });
    expect(codeOf(missing)).toBe('fetch/path-unsafe');
  });

  it('M17 the empty descriptor in place of a config is fetch/config-invalid', () => {
    const empty = {
      mediaType: 'application/vnd.oci.empty.v1+json',
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    };
    const disguised = { ...empty, mediaType: 'application/vnd.warder.bundle.config.v1+json' };
    check('fetch/config-invalid', {
      empty: changed((draft) => ({ ...draft, config: empty })),
      disguised: changed((draft) => ({ ...draft, config: disguised })),
    });
  });

  it('R03 other digests than lower-case sha256 are resolve/digest-algorithm', () => {
    const digests = [`sha512:${'a'.repeat(128)}`, `sha1:${'a'.repeat(40)}`, 'md5:aa', 'sha256:aa'];
    const at = (digest: string) =>
      changed((draft) => {
        first(draft)['digest'] = digest;
      });
    const all = [...digests, `sha256:${'A'.repeat(64)}`];
    check('resolve/digest-algorithm', Object.fromEntries(all.map((one) => [one, at(one)])));
  });
});
