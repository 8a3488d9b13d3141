// `warder trust`: what a trust policy admits in words, what it should not, fixtures, and the way of a new
// version from its roots to a layout and an enforcer. Real keys and files; the enforcer has fixed answers.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { err, failure, ok } from '../../src/core/result.ts';
import { documentOf, expectCase, NOW_MS, run } from '../support/cli.ts';
import { BUNDLE, enforcerAnswering, PREVIEW } from '../support/enforcer-answers.ts';

const PASSPHRASE = { WARDER_KEY_PASSPHRASE: 'correct horse' };
let dir: string;
const names = new Map<string, string>();
const masks = [
  [/(trust policy version \d+, )sha256:[0-9a-f]{64}/, '$1sha256:(fingerprint)'],
  [/(fingerprint +)sha256:[0-9a-f]{64}/, '$1sha256:(fingerprint)'],
] as const;

const POLICY = (
  version: number,
  more = '',
  bound = '        signers: [ci]\n',
) => `apiVersion: warder.dev/trust/v1
version: ${version}
roots:
  threshold: 2
  keys: [{ id: root-1, file: root-1.pem.pub }, { id: root-2, file: root-2.pem.pub }, { id: root-3, file: root-3.pem.pub }]
policies:
  - name: prod
    scope: registry.example.com/policies
    channels: [prod]
    tenant: acme
    require:
      release:
        minimumMatches: 1
        anyOf:
          - { id: ci, key: { file: ci.pem.pub, notBefore: 2026-01-01, notAfter: 2026-02-01 } }
          - { id: old, key: { file: old.pem.pub, notBefore: 2025-01-01, notAfter: 2026-01-01 } }
      provenance:
        builderIds: [https://ci.example.com/b]
        buildTypes: [https://warder.dev/buildtypes/policy/v1]
        sourceRepositories: [https://git.example.com/acme/policies]
${bound}    freshness: { head: required, maxAge: 24h }
${more}`;

const BARE = `apiVersion: warder.dev/trust/v1
version: 1
policies:
  - name: all
    scope: registry.example.com
    channels: [prod, staging]
    require:
      release:
        minimumMatches: 1
        anyOf:
          - { id: ci, key: { file: ci.pem.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
`;

const VERIFIED = `apiVersion: warder.dev/trust/v1
version: 1
policies:
  - name: prod
    scope: registry.example.com/policies
    channels: [prod]
    tenant: acme
    require:
      release:
        minimumMatches: 1
        anyOf:
          - { id: ci, key: { file: ci.pem.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
      verification:
        verifier: https://verifier.example.com/policies
        levels: [SLSA_BUILD_LEVEL_3]
        maxAge: 24h
        anyOf:
          - { id: checker, key: { file: old.pem.pub, notBefore: 2025-01-01, notAfter: 2026-02-01 } }
          - { id: ci, key: { file: ci.pem.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
`;

const REQUIRED = `apiVersion: warder.dev/trust/v1
version: 1
policies:
  - name: prod
    scope: registry.example.com/policies
    channels: [prod]
    require:
      release:
        minimumMatches: 1
        allOf: [ci]
        anyOf:
          - { id: ci, key: { file: ci.pem.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
          - { id: old, key: { file: old.pem.pub, notBefore: 2025-01-01, notAfter: 2027-01-01 } }
`;

const VERIFIED_FIXTURES = `apiVersion: warder.dev/trust-test/v1
tests:
${[
  ['verified', 'signer: checker, levels: [SLSA_BUILD_LEVEL_3]', 'admitted'],
  ['verified to more', 'signer: checker, levels: [SLSA_BUILD_LEVEL_4]', 'admitted'],
  [
    'failed',
    'signer: checker, levels: [SLSA_BUILD_LEVEL_3], result: FAILED',
    'verify/vsa-rejected',
  ],
  ['verified to less', 'signer: checker, levels: [SLSA_BUILD_LEVEL_2]', 'verify/vsa-rejected'],
  ['by another key', 'signer: root-1, levels: [SLSA_BUILD_LEVEL_3]', 'verify/vsa-rejected'],
  [
    'long ago',
    'signer: checker, levels: [SLSA_BUILD_LEVEL_3], at: "2025-06-01T00:00:00Z"',
    'verify/vsa-rejected',
  ],
]
  .map(
    ([name, said, expected]) => `  - name: ${name}
    repository: registry.example.com/policies/web
    tenant: acme
    signers: [ci]
    verification: { verifier: https://verifier.example.com/policies, ${said} }
    expect: ${expected}
`,
  )
  .join('')}  - name: not verified
    repository: registry.example.com/policies/web
    tenant: acme
    signers: [ci]
    expect: verify/vsa-missing
`;

const GLASS = `breakGlass:
  threshold: 1
  maxMinutes: 120
  keys: [{ id: alice, file: root-1.pem.pub }, { id: robot, file: ci.pem.pub }]
`;

const FIXTURES = (expected: string) => `apiVersion: warder.dev/trust-test/v1
tests:
  - name: a release by CI
    repository: registry.example.com/policies/web
    tenant: acme
    signers: [ci]
    source: { repository: https://git.example.com/acme/policies }
    builder: { id: https://ci.example.com/b, buildType: https://warder.dev/buildtypes/policy/v1 }
    expect: ${expected}
  - name: a release by the key that CI had before
    repository: registry.example.com/policies
    tenant: acme
    signers: [old]
    expect: verify/key-expired
  - name: a fork
    repository: registry.example.com/policies
    tenant: acme
    signers: [ci]
    source: { repository: https://git.example.com/evil/policies }
    builder: { id: https://ci.example.com/b, buildType: https://warder.dev/buildtypes/policy/v1 }
    expect: verify/provenance-inconsistent
  - name: somebody with a certificate
    repository: registry.example.com/policies
    tenant: acme
    signers: [{ issuer: https://accounts.example.com, identity: eve@example.com }]
    expect: verify/identity-required
`;

const around = (more: object = {}) => ({ cwd: dir, variables: PASSPHRASE, names, masks, ...more });

async function both(name: string, argv: readonly string[], more: object = {}) {
  const printed = await expectCase(name, argv, around(more));
  const json = await run([...argv, '--output', 'json'], around(more));
  expect(json.exit).toBe(printed.exit);
  return documentOf(json);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-trust-'));
  names.set(dir, '/here');
  for (const key of ['root-1', 'root-2', 'root-3', 'ci', 'old']) {
    const made = await run(['key', 'generate', '--out', join(dir, `${key}.pem`), '-o', 'json'], {
      variables: PASSPHRASE,
    });
    const fingerprint = String(documentOf(made)['fingerprint']);
    names.set(fingerprint, `sha256:(${key})`);
    names.set(fingerprint.slice(0, 19), `sha256:(${key})`);
  }
  writeFileSync(join(dir, 'trust.yaml'), POLICY(5));
  writeFileSync(join(dir, 'trust-6.yaml'), POLICY(6));
  writeFileSync(join(dir, 'unbound.yaml'), POLICY(5, '', ''));
  writeFileSync(join(dir, 'bare.yaml'), BARE);
  writeFileSync(join(dir, 'glass.yaml'), `${BARE}${GLASS}`);
  writeFileSync(join(dir, 'verified.yaml'), VERIFIED);
  writeFileSync(join(dir, 'required.yaml'), REQUIRED);
  writeFileSync(join(dir, 'verified.test.yaml'), VERIFIED_FIXTURES);
  writeFileSync(join(dir, 'good.test.yaml'), FIXTURES('admitted'));
  writeFileSync(join(dir, 'bad.test.yaml'), FIXTURES('verify/rollback'));
  writeFileSync(join(dir, 'broken.test.yaml'), FIXTURES('maybe'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('looking at a trust policy', () => {
  it('explains whom it admits, and who may change it', async () => {
    const document = await both('trust-explain', ['trust', 'explain', 'trust.yaml']);
    expect(document).toMatchObject({ trust: { version: 5, roots: { threshold: 2 } } });
    await both('trust-explain-bare', ['trust', 'explain', 'bare.yaml']);
    await both('trust-explain-glass', ['trust', 'explain', 'glass.yaml']);
    await both('trust-explain-verified', ['trust', 'explain', 'verified.yaml']);
    await both('trust-explain-unbound', ['trust', 'explain', 'unbound.yaml']);
    await both('trust-explain-required', ['trust', 'explain', 'required.yaml']);
    await both('trust-explain-none', ['trust', 'explain', 'none.yaml']);
  });

  it('warns of what the author may not have meant', async () => {
    await both('trust-lint', ['trust', 'lint', 'trust.yaml']);
    await both('trust-lint-bare', ['trust', 'lint', 'bare.yaml']);
    await both('trust-lint-glass', ['trust', 'lint', 'glass.yaml']);
    await both('trust-lint-unbound', ['trust', 'lint', 'unbound.yaml']);
    await both('trust-lint-required', ['trust', 'lint', 'required.yaml']);
    await both('trust-lint-verified', ['trust', 'lint', 'verified.yaml']);
  });

  it('judges fixtures as a host would', async () => {
    const good = await both('trust-test', ['trust', 'test', 'trust.yaml', 'good.test.yaml']);
    expect(good).toMatchObject({ ok: true, passed: 4 });
    const bad = await both('trust-test-failing', ['trust', 'test', 'trust.yaml', 'bad.test.yaml']);
    expect(bad).toMatchObject({ ok: false, passed: 3 });
    const verified = ['trust', 'test', 'verified.yaml', 'verified.test.yaml'];
    expect(await both('trust-test-verified', verified)).toMatchObject({ ok: true, passed: 7 });
    await both('trust-test-broken', ['trust', 'test', 'trust.yaml', 'broken.test.yaml']);
  });
});

describe('a newer trusted root', () => {
  const key = (byte: string) => Buffer.from(byte.repeat(32), 'hex').toString('base64');
  const log = (baseUrl: string, byte: string, end?: string) => ({
    ...{ baseUrl, hashAlgorithm: 'SHA2_256', logId: { keyId: key(byte) } },
    publicKey: {
      rawBytes: key(byte),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2026-01-01T00:00:00Z', ...(end === undefined ? {} : { end }) },
    },
  });
  const rootOf = (...tlogs: readonly object[]) => ({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs,
    ctlogs: [log('https://ct.example.com', 'c1')],
    certificateAuthorities: [
      {
        uri: 'https://ca.example.com',
        certChain: { certificates: [{ rawBytes: key('ca') }] },
        validFor: { start: '2026-01-01T00:00:00Z' },
      },
    ],
  });
  const older = JSON.stringify(rootOf(log('https://log.example.com', '01')));
  const newer = JSON.stringify(
    rootOf(
      log('https://log.example.com', '01', '2026-02-01T00:00:00Z'),
      log('https://log2.example.com', '02'),
    ),
  );
  const config = JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [{ url: 'https://ca.example.com', majorApiVersion: 1 }],
    rekorTlogUrls: [{ url: 'https://log.example.com', majorApiVersion: 1 }],
  });
  const serving = (change: Parameters<typeof enforcerAnswering>[0] = {}, content = newer) => ({
    services: {
      enforcer: () => enforcerAnswering(change),
      tuf: async (_place: unknown, targets: readonly string[]) =>
        ok([content, config].slice(0, targets.length).map((it) => new TextEncoder().encode(it))),
    },
  });
  const there = ['--mirror', 'https://tuf.example.com', '--root', 'tuf-root.json'];
  const update = ['trust', 'update', ...there, '--trust', 'rooted.yaml'];
  const written = () => readFileSync(join(dir, 'trusted.json'), 'utf8');

  it('is shown, asked of the enforcer, and written', async () => {
    writeFileSync(join(dir, 'rooted.yaml'), `${BARE}trustedRoot: trusted.json\n`);
    writeFileSync(join(dir, 'trusted.json'), older);
    await both('trust-update-dry', [...update, '--dry-run'], serving());
    expect(written()).toBe(older);
    await expectCase('trust-update', update, around(serving()));
    expect(written()).toBe(newer);
    const again = await both('trust-update-again', update, serving());
    expect(again).toMatchObject({ written: false, changes: { unchanged: 4 } });
  });

  it('that is refused leaves the file as it is', async () => {
    writeFileSync(join(dir, 'trusted.json'), older);
    const preview = (value: object) =>
      serving({ previewTrust: async () => ok({ ...PREVIEW, ...value }) });
    const distrusted = [{ digest: BUNDLE.digest, why: 'verify/certificate-untrusted, unknown' }];
    await both('trust-update-distrusts', update, preview({ distrusted }));
    await both('trust-update-roots', [...update, '--force'], preview({ hasRoots: true }));
    await both('trust-update-protected', [...update, '--force'], preview({ isProtected: true }));
    const timeFloorMs = NOW_MS + 3_600_000;
    await both('trust-update-clock', [...update, '--force'], preview({ timeFloorMs }));
    const down = err(failure('host/enforcer-unavailable', 'the enforcer does not answer'));
    await both('trust-update-down', update, serving({ previewTrust: async () => down }));
    await both('trust-update-no-root', update, serving({}, '{"tlogs": []}'));
    await both('trust-update-no-file', ['trust', 'update', ...there, '--trust', 'bare.yaml'], {
      ...serving(),
    });
    expect(written()).toBe(older);
    const forced = await run([...update, '--force', '-o', 'json'], around(preview({ distrusted })));
    expect(documentOf(forced)).toMatchObject({ ok: true, written: true });
    expect(written()).toBe(newer);
  });

  it('is only a file where a policy is signed, with the signing configuration beside it', async () => {
    const files = ['--out', 'out.json', '--signing-config', 'signing.json'];
    await expectCase(
      'trust-update-out',
      ['trust', 'update', ...there, ...files],
      around(serving()),
    );
    expect(readFileSync(join(dir, 'out.json'), 'utf8')).toBe(newer);
    expect(readFileSync(join(dir, 'signing.json'), 'utf8')).toBe(config);
  });
});

describe('a new version', () => {
  const sign = (key: string, ...more: readonly string[]) => [
    ...['trust', 'sign', 'trust.yaml', '--key', `${key}.pem`, '--out', 'v5.json', ...more],
  ];

  it('is signed by one root after the other, each once, all the same document', async () => {
    await expectCase('trust-sign', sign('root-1'), around());
    await expectCase('trust-sign-second', sign('root-2'), around());
    await both('trust-sign-again', sign('root-2'));
    await both('trust-sign-other', sign('root-3', '--force'));
    const before = readFileSync(join(dir, 'v5.json'));
    await both('trust-sign-no-file', sign('root-3').with(-1, 'trust.yaml'));
    await both('trust-sign-unbound', sign('root-3').with(2, 'unbound.yaml'));
    expect(readFileSync(join(dir, 'v5.json'))).toEqual(before);
    expect(readFileSync(join(dir, 'trust.yaml'), 'utf8')).toBe(POLICY(5));
  });

  it('goes to a place under a tag of its own, which never moves', async () => {
    const publish = (file: string) => [
      'trust',
      'publish',
      file,
      '--to',
      `oci-layout:${dir}/layout`,
    ];
    await both('trust-publish', publish('v5.json'));
    await run(
      ['trust', 'sign', 'trust.yaml', '--force', '--key', 'root-1.pem', '--out', 'x.json'],
      around(),
    );
    await both('trust-publish-taken', publish('x.json'));
    await both('trust-publish-unsigned', publish('trust.yaml'));
  });

  it('is handed to the enforcer, which decides', async () => {
    const over = (change: Parameters<typeof enforcerAnswering>[0]) => ({
      services: { enforcer: () => enforcerAnswering(change) },
    });
    const applied = { version: 5, fingerprint: BUNDLE.digest, distrusted: [] };
    const apply = ['trust', 'apply', 'v5.json'];
    await both('trust-apply', apply, over({ trust: async () => ok(applied) }));
    await both(
      'trust-apply-forced',
      [...apply, '--force'],
      over({
        trust: async (_, force) => ok({ ...applied, distrusted: force ? [BUNDLE.digest] : [] }),
      }),
    );
    const why = failure(
      'trust/would-distrust',
      'trust policy version 5 would distrust what is active here',
      {
        causes: ['v7 (sha256:4f4f): verify/key-unknown, the signing key is not trusted'],
        hints: ['publish a bundle that both versions admit first'],
      },
    );
    await both('trust-apply-refused', apply, over({ trust: async () => err(why) }));
    await both('trust-apply-unsigned', ['trust', 'apply', 'trust.yaml'], over({}));
  });
});
