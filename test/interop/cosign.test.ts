// cosign 3 accepts what Warder publishes, and Warder finds what cosign attaches.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/adapters/git/source.ts';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { createFileSigner } from '../../src/adapters/sigstore/signer.ts';
import { generateKey } from '../../src/adapters/sigstore/signing-key.ts';
import { PREDICATE } from '../../src/core/bundle.ts';
import { parseReference } from '../../src/core/reference.ts';
import { publish } from '../../src/publisher/publish.ts';
import { makeBundleContent } from '../support/bundle-content.ts';
import { cosign, cosignAttest, cosignSign, makeCosignKey } from '../support/cosign.ts';
import {
  GIT_PATH,
  makePolicyRepository,
  POLICY,
  publishConfig,
} from '../support/policy-repository.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import { ORAS_PATH } from '../support/tools.ts';

const OFFLINE = ['--insecure-ignore-tlog', '--private-infrastructure', '--allow-http-registry'];

let server: TestRegistry;
let dir: string;
beforeAll(async () => {
  server = await startRegistry();
  dir = await mkdtemp(join(tmpdir(), 'warder-cosign-'));
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});

const open = () => createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [server.host] });

async function publishOne(name: string): Promise<string> {
  const repository = await makePolicyRepository();
  const key = join(dir, `${name}.pem`);
  unwrap(await generateKey(key, 'passphrase'));
  repository.commit({
    'warder.yaml': publishConfig(`${server.host}/acme/${name}`),
    'policies/demo.yaml': POLICY,
  });
  const published = await publish({
    source: createGitSource({ gitPath: GIT_PATH, dir: repository.dir }),
    revision: 'HEAD',
    previous: null,
    registry: open(),
    signer: unwrap(await createFileSigner(key, 'passphrase')),
    onEvent: () => undefined,
  });
  await repository.remove();
  if (!published.ok) throw new Error(JSON.stringify(published.error));
  return `${server.host}/acme/${name}@${published.value.bundle.digest}`;
}

describe('cosign and what warder publish wrote', () => {
  it('cosign verify accepts the signature with the right key and refuses another', async () => {
    const reference = await publishOne('ours');
    const stranger = await makeCosignKey(dir);
    const theirKey = join(stranger.dir, 'cosign.pub');
    const accepted = await cosign(dir, 'verify', '--key', 'ours.pem.pub', ...OFFLINE, reference);
    const types = JSON.parse(accepted).map(
      (one: { critical: { type: string } }) => one.critical.type,
    );
    expect(types).toContain(PREDICATE.cosignSign);
    const refused = cosign(dir, 'verify', '--key', theirKey, ...OFFLINE, reference);
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringContaining('no matching attestations'),
    });
  });

  it('cosign verify-attestation accepts release statement and provenance', async () => {
    const reference = await publishOne('attested');
    for (const type of [PREDICATE.release, PREDICATE.provenance]) {
      const args = ['--key', 'attested.pem.pub', '--type', type, ...OFFLINE, reference];
      const printed = await cosign(dir, 'verify-attestation', ...args);
      const { payload } = JSON.parse(printed.split('\n')[0] ?? '');
      const statement = JSON.parse(Buffer.from(payload, 'base64').toString());
      expect(statement.predicateType).toBe(type);
    }
  });
});

describe('what cosign wrote', () => {
  it('is found among the referrers: signature and attestation', async () => {
    const key = await makeCosignKey(dir);
    const name = `${server.host}/acme/theirs`;
    const bundle = makeBundleContent(name);
    const { repository } = unwrap(parseReference(name));
    const registry = open();
    const digest = unwrap(await registry.push(repository, ['t'], bundle.manifest, bundle.blobs));
    await cosignSign(key, `${name}@${digest}`);
    await cosignAttest(key, `${name}@${digest}`, 'https://example.com/custom/v1', { a: 1 });
    const reference = { repository, tag: null, digest };
    const fetched = unwrap(await registry.fetch({ reference, digest }));
    expect(fetched.attestations).toHaveLength(2);
    expect(fetched.skipped).toEqual([]);
  });
});
