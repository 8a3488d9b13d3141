// Hostile configs and statements, each with the code that it must give.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { makeBundleContent } from '../../test/support/bundle-content.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { digestOf } from './content.ts';
import { encodeDescriptor, parseDescriptor } from './descriptor.ts';
import { encodeSlsaPredicate, parseProvenancePredicate } from './slsa.ts';
import { encodeReleaseStatement, parseReleasePredicate, parseStatement } from './statement.ts';

const { descriptor, manifest } = makeBundleContent('registry.example.com/acme/p');
const TEXT = new TextDecoder().decode(encodeDescriptor(descriptor));
const bytes = (text: string) => new TextEncoder().encode(text);
const codeOf = (parsed: { ok: true } | { ok: false; error: { code: string } }) =>
  parsed.ok ? 'parsed' : parsed.error.code;
const changed = (change: object) => toCanonicalJson({ ...descriptor, ...change });

describe('a bundle config', () => {
  it('is read back equal to what was written', () => {
    expect(parseDescriptor(encodeDescriptor(descriptor))).toEqual({ ok: true, value: descriptor });
  });

  it('V04 a version that is no safe integer >= 1 is fetch/version-invalid', () => {
    const spelled = ['0', '-1', '1e3', '1.0', '1.5', '9007199254740993', '"1"', 'null', 'true'];
    for (const version of spelled) {
      const text = TEXT.replace('"version":1', `"version":${version}`);
      expect([version, codeOf(parseDescriptor(bytes(text)))]).toEqual([
        version,
        'fetch/version-invalid',
      ]);
    }
    const missing = TEXT.replace(',"version":1', '');
    expect(codeOf(parseDescriptor(bytes(missing)))).toBe('fetch/version-invalid');
    expect(codeOf(parseDescriptor(bytes(TEXT.replace(':1}', ':01}'))))).toBe(
      'fetch/config-invalid',
    );
  });

  it('any other spelling of the same content is refused', () => {
    for (const text of [` ${TEXT}`, TEXT.replace('"acme"', '"\\u0061cme"'), `${TEXT}\n`]) {
      expect(codeOf(parseDescriptor(bytes(text)))).toBe('fetch/config-invalid');
    }
  });

  it('what does not fit the schema is fetch/config-invalid', () => {
    const { expires: _expires, ...withoutExpiry } = descriptor;
    const cases = [
      changed({ extra: 1 }),
      toCanonicalJson(withoutExpiry),
      changed({ expires: '2030-02-31T00:00:00Z' }),
      changed({ expires: '2030-01-01T00:00:00+00:00' }),
      changed({ expires: '2030-01-01T00:00:00.5Z' }),
      changed({ repository: 'registry.example.com/acme/p:tag' }),
      changed({ repository: 'Registry.example.com/acme/p' }),
      changed({ channel: 'prod-v1' }),
      changed({ channel: '../prod' }),
      changed({ requires: { kernel: '6.01', hooks: [] } }),
      changed({ requires: { kernel: '6.1.2', hooks: [] } }),
      changed({ requires: { kernel: '6.1', hooks: ['9open'] } }),
      changed({ requires: { kernel: '6.1', hooks: ['file_open', 'file_open'] } }),
      changed({ requires: { kernel: '6.1', hooks: [], btf: true } }),
      changed({ previous: 'sha256:AA' }),
      changed({ source: { ...descriptor.source, commit: 'abc' } }),
      changed({ source: { ...descriptor.source, ref: 'refs/heads/a b' } }),
      changed({ files: [{ ...descriptor.files[0], path: '../x' }] }),
      bytes('{}x'),
    ];
    for (const [at, one] of cases.entries()) {
      expect([at, codeOf(parseDescriptor(one))]).toEqual([at, 'fetch/config-invalid']);
    }
  });
});

describe('a statement', () => {
  const release = encodeReleaseStatement(descriptor, digestOf(manifest));
  const json = JSON.parse(new TextDecoder().decode(release));
  const parse = (value: unknown) => parseStatement(bytes(JSON.stringify(value)));

  it('says the descriptor again about the manifest', () => {
    const parsed = parseStatement(release);
    expect(parsed).toMatchObject({ ok: true, value: { subjects: [digestOf(manifest)] } });
    expect(parsed.ok && parseReleasePredicate(parsed.value.predicate)).toEqual({
      ok: true,
      value: descriptor,
    });
  });

  it('P01 of another type is verify/statement-type', () => {
    for (const _type of ['https://in-toto.io/Statement/v0.1', undefined, 1, 'x']) {
      expect(codeOf(parse({ ...json, _type }))).toBe('verify/statement-type');
    }
  });

  it('P02 subjects without lower-case sha256 are no subjects; a second one counts', () => {
    const good = json.subject[0];
    const upper = { name: 'x', digest: { sha256: good.digest.sha256.toUpperCase() } };
    const sha1 = { name: 'x', digest: { sha1: 'a'.repeat(40) } };
    const subjectsOf = (subject: unknown[]) => {
      const parsed = parse({ ...json, subject });
      return parsed.ok ? parsed.value.subjects : parsed.error.code;
    };
    expect(subjectsOf([])).toEqual([]);
    expect(subjectsOf([upper, sha1, { name: 'x' }])).toEqual([]);
    expect(subjectsOf([sha1, good])).toEqual([digestOf(manifest)]);
  });

  it('P13 what is no JSON object, or has unknown fields, is verify/statement-invalid', () => {
    const cases = [
      ...['[]', 'null', '1', '"x"', '', '{', `${JSON.stringify(json)}x`].map(bytes),
      bytes(JSON.stringify({ ...json, extra: 1 })),
      new Uint8Array([0x22, 0xff, 0x22]),
      bytes(`{"_type":"${'x'.repeat(2 * 1024 * 1024)}"}`),
      bytes(JSON.stringify({ ...json, subject: Array(100_000).fill(json.subject[0]) })),
    ];
    for (const [at, one] of cases.entries()) {
      expect([at, codeOf(parseStatement(one))]).toEqual([at, 'verify/statement-invalid']);
    }
  });
});

describe('a provenance predicate', () => {
  const provenance = {
    buildType: 'https://warder.dev/buildtypes/policy/v1',
    builderId: 'https://ci.example.com/builder',
    repository: 'https://git.example.com/acme/policies',
    ref: 'refs/heads/main',
    config: 'warder.yaml',
    commit: '1'.repeat(40),
    workflow: null,
    repositoryId: null,
    ownerId: null,
    trigger: null,
  };
  const predicate = encodeSlsaPredicate(provenance) as {
    buildDefinition: { externalParameters: object };
  };

  it('is read back equal to what was written', () => {
    expect(parseProvenancePredicate(predicate)).toEqual({ ok: true, value: provenance });
  });

  it('P09 an unknown external parameter is verify/external-parameters', () => {
    const { buildDefinition } = predicate;
    const externalParameters = { ...buildDefinition.externalParameters, flags: '-x' };
    const steered = { ...predicate, buildDefinition: { ...buildDefinition, externalParameters } };
    expect(codeOf(parseProvenancePredicate(steered))).toBe('verify/external-parameters');
  });

  it('P08 a dependency on another repository is verify/provenance-inconsistent', () => {
    const { buildDefinition } = predicate;
    const externalParameters = { ...buildDefinition.externalParameters, ref: 'refs/heads/x' };
    const other = { ...predicate, buildDefinition: { ...buildDefinition, externalParameters } };
    expect(codeOf(parseProvenancePredicate(other))).toBe('verify/provenance-inconsistent');
  });

  it('anything else is verify/provenance-invalid', () => {
    for (const one of [{}, null, [], { ...predicate, extra: 1 }]) {
      expect(codeOf(parseProvenancePredicate(one))).toBe('verify/provenance-invalid');
    }
  });
});
