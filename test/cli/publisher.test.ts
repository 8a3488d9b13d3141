// The publisher's commands on real files, real Git repositories, real keys and a real OCI layout, in a
// temporary folder. Author, dates and content are fixed, so commits and bundles have fixed digests: a
// case that changes its digest tells that the format of bundles changed.
//
// SPDX-License-Identifier: Apache-2.0

import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MEDIA } from '../../src/core/bundle.ts';
import { CLOCK, documentOf, expectCase, NOW_MS, run } from '../support/cli.ts';
import {
  makePolicyRepository,
  POLICY,
  POLICY_TEST,
  type PolicyRepository,
  publishConfig,
} from '../support/policy-repository.ts';

const NAME = 'registry.example.com/acme/policies';
const PASSPHRASE = { WARDER_KEY_PASSPHRASE: 'correct horse' };

let repository: PolicyRepository;
let dir: string;
let names: Map<string, string>;
const around = (more: object = {}) => ({
  cwd: repository.dir,
  variables: PASSPHRASE,
  names,
  masks: [[/(trust policy +version \d+, )sha256:[0-9a-f]{64}/, '$1sha256:(fingerprint)']] as const,
  ...more,
});

beforeAll(async () => {
  repository = await makePolicyRepository();
  dir = await mkdtemp(join(tmpdir(), 'warder-cli-'));
  names = new Map([
    [repository.dir, '/here/policies'],
    [dir, '/here'],
  ]);
  repository.commit({
    'warder.yaml': publishConfig(NAME),
    'policies/demo.yaml': POLICY,
    'policies/demo.test.yaml': POLICY_TEST,
  });
  const made = await run(['key', 'generate', '--out', join(dir, 'key.pem'), '-o', 'json'], {
    variables: PASSPHRASE,
  });
  const fingerprint = String(documentOf(made)['fingerprint']);
  names.set(fingerprint, 'sha256:(fingerprint of the key)');
  names.set(fingerprint.slice(0, 19), 'sha256:(fingerprint)');
  writeFileSync(join(dir, 'trust.yaml'), trust(NAME));
  writeFileSync(join(dir, 'trust-other.yaml'), trust('registry.example.com/other'));
});
afterAll(async () => {
  await repository.remove();
  await rm(dir, { recursive: true });
});

function trust(scope: string): string {
  return `apiVersion: warder.dev/trust/v1
version: 1
policies:
  - name: prod
    scope: ${scope}
    channels: [prod]
    require:
      release:
        minimumMatches: 1
        anyOf:
          - { id: ci, key: { file: key.pem.pub, notBefore: 2026-01-01, notAfter: 2027-01-01 } }
      provenance:
        builderIds: [https://git.example.com/acme/policies/publish]
        buildTypes: [https://warder.dev/buildtypes/policy/v1]
        sourceRepositories: [https://git.example.com/acme/policies]
`;
}

/** Writes files into a folder of the temporary folder; answers its path. */
function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(dir, name);
  cpSync(join(repository.dir, 'policies'), join(path, 'policies'), { recursive: true });
  for (const [file, text] of Object.entries(files))
    writeFileSync(join(path, 'policies', file), text);
  return path;
}

/** Runs it in both formats: the text is the case, the document must be one and say the same exit. */
async function both(name: string, argv: readonly string[], more: object = {}) {
  const printed = await expectCase(name, argv, around(more));
  const json = await run([...argv, '--output', 'json'], around(more));
  expect(json.exit).toBe(printed.exit);
  return { printed, document: documentOf(json) };
}

describe('warder lint', () => {
  it('says how much there is when all is well', async () => {
    const { document } = await both('lint-good', ['lint']);
    expect(document).toMatchObject({ kind: 'Lint', ok: true, policies: 1, rules: 1 });
  });

  it('shows each mistake with its place and a caret', async () => {
    const cwd = folder('broken', {
      'demo.yaml': POLICY.replace('path: /srv/demo/secret', 'path: srv/../demo').replace(
        'reason:',
        'reson:',
      ),
      'second.yaml': 'apiVersion: [\n',
    });
    const { document } = await both('lint-broken', ['lint'], { cwd });
    expect(document).toMatchObject({ ok: false, exit: 16 });
  });

  it('refuses what would lock people out', async () => {
    const tree = POLICY.replace('path: /srv/demo/secret', 'tree: /var/lib/dpkg');
    await both('lint-lockout', ['lint'], { cwd: folder('lockout', { 'demo.yaml': tree }) });
  });

  it('warns without failing', async () => {
    const weak = POLICY.replace(
      'deny: modify',
      'deny: [write]\n      except:\n        - exe: /usr/bin/passwd',
    );
    const { printed } = await both('lint-warned', ['lint'], {
      cwd: folder('warned', { 'demo.yaml': weak }),
    });
    expect(printed.exit).toBe(0);
  });

  it('says that a folder is not there, or holds no policy', async () => {
    await both('lint-no-folder', ['lint', 'nothing-here'], { cwd: dir });
    await both('lint-no-policies', ['lint', '.'], { cwd: await mkdtemp(join(dir, 'empty-')) });
  });
});

describe('warder test', () => {
  it('counts what passed', async () => {
    const { document } = await both('test-passing', ['test']);
    expect(document).toMatchObject({ kind: 'PolicyTests', ok: true, passed: 2, failed: 0 });
  });

  it('shows where the expectation stands that does not hold', async () => {
    const cwd = folder('failing', {
      'demo.test.yaml': POLICY_TEST.replace('expect: allow', 'expect: deny'),
    });
    const { document } = await both('test-failing', ['test'], { cwd });
    expect(document).toMatchObject({ ok: false, exit: 16, passed: 1, failed: 1 });
  });

  it('names rules that no test reaches', async () => {
    const cwd = folder('unexercised', {
      'demo.test.yaml': POLICY_TEST.replaceAll('/srv/demo', '/srv/other').replace(
        'expect: deny\n    rule: protect-demo/demo-write',
        'expect: allow',
      ),
    });
    await both('test-unexercised', ['test'], { cwd });
  });
});

describe('warder init', () => {
  it('writes a repository that lints and passes its tests', async () => {
    await expectCase('init', ['init', 'new'], around({ cwd: dir }));
    const cwd = join(dir, 'new');
    expect((await run(['lint'], { cwd })).exit).toBe(0);
    expect((await run(['test'], { cwd })).exit).toBe(0);
  });

  it('touches nothing when a file is in the way', async () => {
    await both('init-again', ['init', 'new'], { cwd: dir });
    writeFileSync(join(await mkdtemp(join(dir, 'taken-')), 'README.md'), 'mine');
    const taken = readdirSync(dir).find((it) => it.startsWith('taken-')) ?? '';
    expect((await run(['init', taken], { cwd: dir })).exit).toBe(2);
    expect(readdirSync(join(dir, taken))).toEqual(['README.md']);
  });
});

describe('warder build', () => {
  it('gives the same digest for the same commit', async () => {
    const { document } = await both('build', ['build']);
    const again = await run(['build', '-C', repository.dir, '-o', 'json'], { cwd: '/' });
    expect(documentOf(again)['digest']).toBe(document['digest']);
  });

  it('notes what is not committed', async () => {
    appendFileSync(join(repository.dir, 'policies/demo.yaml'), '# not committed\n');
    await expectCase('build-dirty', ['build'], around());
    repository.git('checkout', '--quiet', '--', '.');
  });

  it('refuses a folder that is no repository, and a commit that is not there', async () => {
    await both('build-no-repository', ['build', '--dir', '.'], { cwd: dir });
    await both('build-no-commit', ['build', '--commit', 'nothing']);
  });
});

describe('warder key generate', () => {
  it('refuses to overwrite a key', async () => {
    const before = readFileSync(join(dir, 'key.pem'), 'utf8');
    await both('key-exists', ['key', 'generate', '--out', 'key.pem'], { cwd: dir });
    expect(readFileSync(join(dir, 'key.pem'), 'utf8')).toBe(before);
  });

  it('wants a passphrase', async () => {
    await both('key-no-passphrase', ['key', 'generate', '--out', 'other.pem'], {
      cwd: dir,
      variables: {},
    });
    expect(readdirSync(dir)).not.toContain('other.pem');
  });
});

describe('warder publish and warder verify', () => {
  const publish = () => [
    'publish',
    '--key',
    join(dir, 'key.pem'),
    '--to',
    `oci-layout:${dir}/layout`,
  ];
  const verify = (change: Partial<Record<'place' | 'trust' | 'repository', string>> = {}) => [
    'verify',
    change.place ?? `oci-layout:${dir}/layout:prod`,
    ...['--trust', change.trust ?? join(dir, 'trust.yaml')],
    ...['--repository', change.repository ?? NAME],
  ];

  it('publishes once, and says so the second time', async () => {
    const first = await expectCase('publish', publish(), around());
    expect(first.exit).toBe(0);
    const { document } = await both('publish-again', publish());
    expect(document).toMatchObject({ kind: 'Publication', ok: true, changed: false, version: 1 });
  });

  it('refuses a wrong passphrase, a missing one and a missing key', async () => {
    await both('publish-wrong-passphrase', publish(), {
      variables: { WARDER_KEY_PASSPHRASE: 'wrong' },
    });
    await both('publish-no-passphrase', publish(), { variables: {} });
    await both('publish-no-key', [
      'publish',
      '--key',
      'none.pem',
      '--to',
      `oci-layout:${dir}/layout`,
    ]);
  });

  it('refuses a commit whose policy tests fail', async () => {
    const broken = await makePolicyRepository();
    broken.commit({
      'warder.yaml': publishConfig(NAME),
      'policies/demo.yaml': POLICY,
      'policies/demo.test.yaml': POLICY_TEST.replace('expect: allow', 'expect: deny'),
    });
    await both('publish-tests-fail', publish(), { cwd: broken.dir });
    await broken.remove();
  });

  it('accepts what was published', async () => {
    const { document } = await both('verify-accepted', verify());
    expect(document).toMatchObject({ kind: 'Verification', ok: true, verdict: 'accepted' });
  });

  it('demands a head where the trust policy does, and tells a missing, a good and an old one', async () => {
    const fresh = `${trust(NAME)}    freshness: { head: required, maxAge: 24h }\n`;
    writeFileSync(join(dir, 'trust-fresh.yaml'), fresh);
    const demanding = verify({ trust: join(dir, 'trust-fresh.yaml') });
    await both('verify-head-missing', demanding);
    const head = ['head', ...publish().slice(1)];
    await both('head', head);
    await both('head-bad-lifetime', [...head, '--lifetime', '90m']);
    const { document } = await both('verify-head', demanding);
    expect(document).toMatchObject({ verdict: 'accepted' });
    const later = { ...CLOCK, nowMs: () => NOW_MS + 25 * 3_600_000 };
    await both('verify-head-stale', demanding, { services: { clock: later } });
  });

  it('refuses it for another place, and under another trust policy', async () => {
    await both('verify-wrong-scope', verify({ trust: join(dir, 'trust-other.yaml') }));
    const place = `oci-layout:${dir}/layout:prod`;
    await both('verify-layout-without-name', ['verify', place, '--trust', join(dir, 'trust.yaml')]);
  });

  it('refuses a stranger', async () => {
    await run(['key', 'generate', '--out', join(dir, 'stranger.pem')], around());
    const text = trust(NAME).replace('key.pem.pub', 'stranger.pem.pub');
    writeFileSync(join(dir, 'trust-stranger.yaml'), text);
    const json = await run(
      [...verify({ trust: join(dir, 'trust-stranger.yaml') }), '-o', 'json'],
      around(),
    );
    expect(documentOf(json)).toMatchObject({ verdict: 'refused', exit: 12 });
  });

  it('says that a reference is not there', async () => {
    await both('verify-unknown-tag', verify({ place: `oci-layout:${dir}/layout:next` }));
    await both('verify-no-layout', verify({ place: `oci-layout:${dir}/nowhere:prod` }));
  });

  it('refuses a layout in which one byte was changed', async () => {
    const spoiled = join(dir, 'spoiled');
    cpSync(join(dir, 'layout'), spoiled, { recursive: true });
    const blobs = join(spoiled, 'blobs/sha256');
    for (const name of readdirSync(blobs)) {
      const bytes = readFileSync(join(blobs, name));
      const data = bytes.indexOf('"data":"');
      if (bytes.includes(MEDIA.artifact) && data > 0) {
        bytes[data + '"data":"'.length] = 0x78;
        writeFileSync(join(blobs, name), bytes);
      }
    }
    const { document } = await both(
      'verify-tampered',
      verify({ place: `oci-layout:${spoiled}:prod` }),
    );
    expect(document).toMatchObject({ ok: false, exit: 16 });
  });

  it('says what is wrong with a trust policy', async () => {
    writeFileSync(join(dir, 'vacuous.yaml'), trust(NAME).replace('Matches: 1', 'Matches: 0'));
    await both('verify-vacuous-trust', verify({ trust: join(dir, 'vacuous.yaml') }));
    await both('verify-no-trust', verify({ trust: join(dir, 'none.yaml') }));
  });
});
