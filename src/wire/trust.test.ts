// The trust policy as text: what is read, and what is refused before it can admit anybody.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { err, failure, ok } from '../core/result.ts';
import { parseTrustPolicy } from './trust.ts';

const pemOf = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' });
const CI = pemOf('P-256').toString();
const SECURITY = pemOf('P-256').toString();
const KEYS: Readonly<Record<string, string>> = {
  'ci.pub': CI,
  'ci-crlf.pub': CI.replaceAll('\n', '\r\n'),
  'security.pub': SECURITY,
  'p224.pub': pemOf('secp224r1').toString(),
  'p384.pub': pemOf('P-384').toString(),
  'ed25519.pub': generateKeyPairSync('ed25519')
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString(),
  'rsa1024.pub': generateKeyPairSync('rsa', { modulusLength: 1024 })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString(),
  'private.pem': generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
  'garbage.pub': '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
};

const GOOD = `apiVersion: warder.dev/trust/v1
version: 4
policies:
  - name: prod
    scope: registry.example.com/policies
    channels: [prod]
    tenant: acme
    require:
      release:
        minimumMatches: 2
        anyOf:
          - { id: ci, key: { file: ci.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
          - { id: security, key: { file: security.pub, notBefore: 2026-01-01, notAfter: "2027-01-01T12:00:00Z" } }
      provenance:
        builderIds: [https://ci.example.com/b]
        buildTypes: [https://warder.dev/build-types/bundle/v1]
        sourceRepositories: [https://git.example.com/acme/policies]
revoked:
  digests: []
  keys: []
onDistrustedLkg: baseline
`;

function read(text: string, keys = KEYS) {
  return parseTrustPolicy(new TextEncoder().encode(text), 'trust.yaml', (path) => {
    const pem = keys[path];
    return pem === undefined ? err(failure('trust/unreadable', path)) : ok(pem);
  });
}

function refusal(text: string) {
  const policy = read(text);
  if (policy.ok) throw new Error('the policy was accepted');
  return policy.error;
}

const spoil = (from: string | RegExp, to: string) => {
  const text = GOOD.replace(from, to);
  expect(text).not.toBe(GOOD);
  return text;
};

describe('a good trust policy', () => {
  test('is read with its keys, windows in UTC and what is demanded', () => {
    const policy = read(GOOD);
    expect(policy).toMatchObject({
      ok: true,
      value: {
        version: 4,
        onDistrustedLkg: 'baseline',
        policies: [
          {
            tenant: 'acme',
            release: {
              minimumMatches: 2,
              predicateTypes: ['https://warder.dev/attestations/release/v1'],
              anyOf: [
                { id: 'ci', publicKeyPem: CI, notBefore: '2026-01-01T00:00:00.000Z' },
                { id: 'security', notAfter: '2027-01-01T12:00:00.000Z' },
              ],
            },
            provenance: { builderIds: ['https://ci.example.com/b'] },
          },
        ],
      },
    });
  });

  test('may be JSON, with keys in it instead of beside it', () => {
    const entry = { pem: CI, notBefore: '2026-01-01', notAfter: '2027-01-01' };
    const release = { minimumMatches: 1, anyOf: [{ id: 'ci', key: entry }] };
    const json = JSON.stringify({
      apiVersion: 'warder.dev/trust/v1',
      version: 1,
      policies: [{ name: 'a', scope: 'oci-layout:/srv/p', channels: ['x'], require: { release } }],
    });
    expect(read(json)).toMatchObject({
      ok: true,
      value: { onDistrustedLkg: 'keep-and-alert', policies: [{ tenant: null, provenance: null }] },
    });
  });

  test('has a fingerprint that covers the keys and not how they are written', () => {
    const print = (text: string, keys = KEYS) => {
      const policy = read(text, keys);
      return policy.ok ? policy.value.fingerprint : policy.error.code;
    };
    const good = print(GOOD);
    expect(print(`# a comment\n${GOOD}`)).toBe(good);
    expect(print(GOOD.replace('ci.pub', 'ci-crlf.pub'))).toBe(good);
    expect(print(GOOD, { ...KEYS, 'ci.pub': pemOf('P-256').toString() })).not.toBe(good);
    expect(print(spoil('version: 4', 'version: 5'))).not.toBe(good);
    expect(print(spoil('2027-01-01 }', '2027-01-02 }'))).not.toBe(good);
    expect(print(spoil('onDistrustedLkg: baseline', ''))).not.toBe(good);
  });
});

describe('I08 a vacuous or unknown trust policy', () => {
  test.each<[string, string | RegExp, string]>([
    ['threshold 0', 'minimumMatches: 2', 'minimumMatches: 0'],
    ['a threshold above the number of keys', 'minimumMatches: 2', 'minimumMatches: 3'],
    ['no identities', /anyOf:\n.*\n.*\n/, 'anyOf: []\n'],
    ['no policies', /policies:\n(?: {2}.*\n)+/, 'policies: []\n'],
    ['an unknown field', 'version: 4', 'version: 4\nnotice: x'],
    ['an unknown field of a rule', 'minimumMatches: 2', 'minimumMatches: 2\n        allOf: []'],
    ['a wildcard scope', 'registry.example.com/policies', '"*"'],
    ['a scope with a wildcard in it', 'example.com/policies', 'example.com/*'],
    ['an empty scope', 'registry.example.com/policies', '""'],
    ['every layout as scope', 'registry.example.com/policies', '"oci-layout:"'],
    ['the root of all layouts as scope', 'registry.example.com/policies', '"oci-layout:/"'],
    ['a scope that ends in a slash', 'example.com/policies', 'example.com/policies/'],
    ['a scope with a tag', 'example.com/policies', 'example.com/policies:prod'],
    ['a wildcard channel', '[prod]', '["*"]'],
    ['a wildcard builder', 'https://ci.example.com/b', 'https://ci.example.com/*'],
    ['no source repositories', /sourceRepositories: .*/, 'sourceRepositories: []'],
    ['duplicate ids', 'id: security', 'id: ci'],
    ['an empty window', '2027-01-01 }', '2026-01-01 }'],
    ['a day that is not in the calendar', '2027-01-01 }', '2027-02-30 }'],
    ['a time that is not UTC', '2027-01-01 }', '2027-01-01T00:00:00+02:00 }'],
    ['version 0', 'version: 4', 'version: 0'],
    ['a version with a fraction', 'version: 4', 'version: 4.5'],
    ['another apiVersion', 'trust/v1', 'trust/v2'],
    ['a duplicate key', 'version: 4', 'version: 4\nversion: 5'],
    ['a second document', /$/, '---\nversion: 1\n'],
    ['an alias', 'tenant: acme', 'tenant: &a acme\n    <<: *a'],
    ['a digest in upper case', 'digests: []', `digests: ["sha256:${'A'.repeat(64)}"]`],
    [
      'a predicate type that says nothing',
      'minimumMatches: 2',
      'minimumMatches: 2\n        predicateTypes: [https://spdx.dev/Document]',
    ],
    ['file and pem together', 'file: ci.pub', 'file: ci.pub, pem: x'],
    ['neither file nor pem', 'file: ci.pub, ', ''],
    ['a key called __proto__', 'version: 4', 'version: 4\n__proto__: { version: 9 }'],
  ])('%s is refused', (_name, from, to) => {
    expect(refusal(spoil(from, to)).code).toBe('trust/invalid');
  });

  test('two ids for one key are refused although one match would be enough', () => {
    const text = spoil('security.pub', 'ci-crlf.pub').replace('Matches: 2', 'Matches: 1');
    const failed = refusal(text);
    expect(failed).toMatchObject({ code: 'trust/invalid', at: { line: 13 }, causes: [] });
  });

  test('two policies for one place are refused, and two of one name', () => {
    const policy = GOOD.slice(GOOD.indexOf('  - name'), GOOD.indexOf('revoked:'));
    const failed = refusal(GOOD.replace(policy, policy + policy));
    expect(failed.code).toBe('trust/invalid');
    expect(failed.causes).toHaveLength(1);
  });
});

describe('identities', () => {
  const BY_IDENTITY =
    '{ id: ci, issuer: https://ci.example.com, identity: https://git.example.com/acme/p/w.yml@refs/tags/v*, repositoryId: 7, triggers: [push] }';
  const keyed = spoil(/\{ id: ci, .*\}/, BY_IDENTITY);
  const whole = keyed.replace('version: 4', 'version: 4\ntrustedRoot: root.json');
  const START = { start: '2020-01-01T00:00:00Z' };
  const log = {
    baseUrl: 'https://log.example.com',
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: 'AAAA', keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: START },
    logId: { keyId: 'AAAA' },
  };
  const authority = { certChain: { certificates: [{ rawBytes: 'AAAA' }] }, validFor: START };
  const ROOT = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [log],
    certificateAuthorities: [authority],
    ctlogs: [log],
    timestampAuthorities: [authority],
  };
  const withRoot = (root: unknown) => read(whole, { ...KEYS, 'root.json': JSON.stringify(root) });

  test('are read beside keys, with the trusted root in the fingerprint', () => {
    const one = withRoot(ROOT);
    expect(one).toMatchObject({
      ok: true,
      value: {
        policies: [
          {
            release: {
              anyOf: [{ id: 'security' }],
              identities: [{ id: 'ci', repositoryId: '7', triggers: ['push'], runner: null }],
            },
            thresholds: { tlog: 1, ctlog: 1, timestamp: 1 },
          },
        ],
      },
    });
    const other = withRoot({ ...ROOT, timestampAuthorities: [] });
    if (!one.ok || !other.ok) throw new Error('refused');
    expect(one.value.fingerprint).not.toBe(other.value.fingerprint);
  });

  test('without a trusted root could never count', () => {
    expect(refusal(keyed).code).toBe('trust/invalid');
  });

  test.each([
    ['a wildcard alone', '"*"'],
    ['a wildcard for a host', '"https://*"'],
    ['a wildcard for a whole path', '"https://git.example.com/*"'],
    ['a wildcard for a whole segment', '"https://git.example.com/acme/*"'],
    ['a wildcard inside', '"https://git.example.com/*/p"'],
    ['two wildcards', '"https://git.example.com/acme/p**"'],
    ['a wildcard behind an e-mail address', '"release@example.com*"'],
    ['an expression', '".*"'],
    ['nothing', '""'],
    ['a letter that looks alike', '"https://git.ex\u0430mple.com/acme/p"'],
  ])('I08 I11 %s is refused', (_name, identity) => {
    const text = whole.replace(/identity: [^,]+/, `identity: ${identity}`);
    expect(read(text, { ...KEYS, 'root.json': JSON.stringify(ROOT) })).toMatchObject({
      ok: false,
      error: { code: 'trust/invalid' },
    });
  });

  test('that one signer could both be are refused', () => {
    const twice = `${BY_IDENTITY}\n          - ${BY_IDENTITY.replace('id: ci', 'id: two').replace('v*', 'v1*')}`;
    const text = whole.replace(BY_IDENTITY, twice);
    expect(read(text, { ...KEYS, 'root.json': JSON.stringify(ROOT) })).toMatchObject({
      ok: false,
      error: { code: 'trust/invalid' },
    });
  });

  test('I08 L08 a threshold of 0 is refused', () => {
    const text = whole.replace('tenant: acme', 'tenant: acme\n    thresholds: { tlog: 0 }');
    expect(refusal(text).code).toBe('trust/invalid');
  });

  test.each<[string, unknown]>([
    ['without logs', { ...ROOT, tlogs: [] }],
    ['without certificate logs', { ...ROOT, ctlogs: [] }],
    ['without authorities', { ...ROOT, certificateAuthorities: [] }],
    [
      'with a log that has no beginning',
      {
        ...ROOT,
        tlogs: [{ ...log, publicKey: { ...log.publicKey, validFor: {} } }],
      },
    ],
    ['with an unknown field', { ...ROOT, extra: 1 }],
    ['that is no object', []],
  ])('L08 a trusted root %s is trust/root-invalid', (_name, root) => {
    expect(withRoot(root)).toMatchObject({ ok: false, error: { code: 'trust/root-invalid' } });
  });
});

describe('keys', () => {
  test.each([
    ['S24 P-224', 'p224.pub', 'trust/algorithm'],
    ['S24 P-384', 'p384.pub', 'trust/algorithm'],
    ['S24 Ed25519', 'ed25519.pub', 'trust/algorithm'],
    ['S24 RSA-1024', 'rsa1024.pub', 'trust/algorithm'],
    ['a private key', 'private.pem', 'trust/key-invalid'],
    ['garbage', 'garbage.pub', 'trust/key-invalid'],
    ['a missing file', 'absent.pub', 'trust/unreadable'],
  ])('%s is refused with its place', (_name, file, code) => {
    const failed = refusal(spoil('ci.pub', file));
    expect(failed).toMatchObject({ code, at: { file: 'trust.yaml', line: 12 } });
  });
});

test('every problem is told, each with line and column', () => {
  const failed = refusal(spoil('version: 4', 'version: 0').replace('[prod]', '[]'));
  expect(failed.at).toEqual({ file: 'trust.yaml', line: 2, column: 10 });
  expect(failed.causes[0]).toMatch(/^trust\.yaml:6:15: /);
});

describe('allOf', () => {
  const asking = (minimumMatches: number, names: string) =>
    read(
      spoil('minimumMatches: 2', `minimumMatches: ${minimumMatches}\n        allOf: [${names}]`),
    );

  test('names signers of anyOf, and changes the fingerprint', () => {
    const named = asking(2, 'security');
    const plain = read(GOOD);
    expect(named).toMatchObject({ value: { policies: [{ release: { allOf: ['security'] } }] } });
    expect(plain).toMatchObject({ value: { policies: [{ release: { allOf: [] } }] } });
    expect(named.ok && plain.ok && named.value.fingerprint !== plain.value.fingerprint).toBe(true);
  });

  test.each([
    ['nobody', 2, ''],
    ['somebody who is no signer', 2, 'security, stranger'],
    ['one signer twice', 2, 'ci, ci'],
    ['more than minimumMatches says', 1, 'ci, security'],
    ['a whole signer instead of an id', 2, '{ id: ci, key: { file: ci.pub } }'],
  ])('I08 with %s is refused', (_what, minimumMatches, names) => {
    expect(asking(minimumMatches, names)).toMatchObject({ error: { code: 'trust/invalid' } });
  });
});

describe('verification', () => {
  const VERIFIER_KEY = pemOf('P-256').toString();
  const OWN = '{ id: verifier, key: { file: v.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }';
  const asking = (lines: string, signers = OWN) =>
    read(
      spoil(
        '      provenance:',
        `      verification: { ${lines}, anyOf: [${signers}] }\n      provenance:`,
      ),
      { ...KEYS, 'v.pub': VERIFIER_KEY },
    );
  const FULL = 'verifier: https://v.example.com, levels: [SLSA_BUILD_LEVEL_3], maxAge: 24h';

  test('is not demanded unless it is written, and then the fingerprint is as before', () => {
    const plain = read(GOOD);
    const asked = asking(FULL);
    expect(plain.ok && plain.value.policies[0]?.verification).toBeNull();
    expect(asked).toMatchObject({
      ok: true,
      value: {
        policies: [
          {
            verification: {
              verifier: 'https://v.example.com',
              predicateTypes: ['https://slsa.dev/verification_summary/v1'],
              levels: ['SLSA_BUILD_LEVEL_3'],
              maxAgeMs: 86_400_000,
              anyOf: [{ id: 'verifier', publicKeyPem: VERIFIER_KEY }],
              identities: [],
            },
          },
        ],
      },
    });
    expect(asked.ok && plain.ok && asked.value.fingerprint !== plain.value.fingerprint).toBe(true);
  });

  test.each([
    ['no verifier', 'levels: [A], maxAge: 24h'],
    ['a verifier with a wildcard', 'verifier: https://v.example.com/*, levels: [A], maxAge: 24h'],
    ['no levels', 'verifier: https://v.example.com, maxAge: 24h'],
    ['an empty list of levels', 'verifier: https://v.example.com, levels: [], maxAge: 24h'],
    ['FAILED as a level', 'verifier: https://v.example.com, levels: [FAILED], maxAge: 24h'],
    ['no level', 'verifier: https://v.example.com, levels: [SLSA_BUILD_LEVEL_0], maxAge: 24h'],
    ['no age', 'verifier: https://v.example.com, levels: [A]'],
    ['an age of none', 'verifier: https://v.example.com, levels: [A], maxAge: 0h'],
    ['another predicate type', `${FULL}, predicateTypes: [https://slsa.dev/provenance/v1]`],
    ['an unknown field', `${FULL}, result: FAILED`],
  ])('I08 with %s is refused', (_what, lines) => {
    expect(asking(lines)).toMatchObject({ ok: false, error: { code: 'trust/invalid' } });
  });

  test.each([
    ['nobody', ''],
    [
      'an identity without a trusted root',
      '{ id: v, issuer: https://i.example.com, identity: v@example.com }',
    ],
    [
      'the id of another signer',
      '{ id: ci, key: { file: v.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }',
    ],
    [
      'another id for a signer',
      '{ id: v, key: { file: ci.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }',
    ],
  ])('I08 signed by %s is refused', (_what, signers) => {
    expect(asking(FULL, signers)).toMatchObject({ ok: false, error: { code: 'trust/invalid' } });
  });
});

describe('freshness', () => {
  const withHeads = (lines: string) =>
    GOOD.replace(
      'revoked:\n',
      `    freshness: { head: required, maxAge: 24h${lines} }\nrevoked:\n`,
    );

  test('is not demanded by default, and a version may be 100000 above the floor', () => {
    const policy = read(GOOD);
    expect(policy.ok && policy.value.policies[0]).toMatchObject({
      freshness: null,
      maxVersionStep: 100_000,
    });
  });

  test('may be vouched for by everybody who signs releases, or by others who may do nothing else', () => {
    const [same] = [read(withHeads(''))];
    expect(same.ok && same.value.policies[0]?.freshness).toMatchObject({
      maxAgeMs: 86_400_000,
      anyOf: [{ id: 'ci' }, { id: 'security' }],
    });
    const key = 'key: { file: p256.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 }';
    const keys = { ...KEYS, 'p256.pub': pemOf('P-256').toString() };
    const other = read(withHeads(`, anyOf: [{ id: clockwork, ${key} }]`), keys);
    const scope = other.ok ? other.value.policies[0] : undefined;
    expect(scope?.freshness?.anyOf.map((it) => it.id)).toEqual(['clockwork']);
    expect(scope?.release.anyOf.map((it) => it.id)).toEqual(['ci', 'security']);
    // One id for two keys would hide who signed, across the lists too.
    const shared = read(withHeads(`, anyOf: [{ id: ci, ${key} }]`), keys);
    expect(shared).toMatchObject({ error: { code: 'trust/invalid' } });
  });

  test('never means forever', () => {
    for (const age of ['0h', '91d', '24', '-1h', '1e3h']) {
      const text = withHeads('').replace('maxAge: 24h', `maxAge: ${age}`);
      expect(read(text)).toMatchObject({ error: { code: 'trust/invalid' } });
    }
    const optional = withHeads('').replace('head: required', 'head: optional');
    expect(read(optional)).toMatchObject({ error: { code: 'trust/invalid' } });
  });
});
