// What the real cosign signs, Warder verifies: `cosign sign --key` on a bundle in a real registry, read
// back through the registry port. It counts as a release exactly when the trust policy lists its
// predicate, and it says nothing about provenance.
//
// SPDX-License-Identifier: Apache-2.0

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { createVerifier } from '../../src/adapters/sigstore/verifier.ts';
import { PREDICATE } from '../../src/core/bundle.ts';
import { parseReference, type Repository } from '../../src/core/reference.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { parsePublicKey } from '../../src/wire/trust-key.ts';
import { makeBundleContent } from '../support/bundle-content.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import { COSIGN_PATH, ORAS_PATH } from '../support/tools.ts';
import { makeContext, makeScope, makeTrust, makeTrustedKey } from '../support/verify.ts';

const run = promisify(execFile);

let registry: TestRegistry;
let dir = '';
let trustedPem = '';

beforeAll(async () => {
  registry = await startRegistry();
  dir = await mkdtemp(join(tmpdir(), 'warder-cosign-'));
  await cosign('generate-key-pair');
  trustedPem = await readFile(join(dir, 'cosign.pub'), 'utf8');
  // Nobody to ask: no log, no timestamp authority, no root of anything.
  const kind = 'application/vnd.dev.sigstore';
  const config = {
    mediaType: `${kind}.signingconfig.v0.2+json`,
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  };
  await writeFile(join(dir, 'signing.json'), JSON.stringify(config));
  const root = { mediaType: `${kind}.trustedroot+json;version=0.1` };
  await writeFile(join(dir, 'root.json'), JSON.stringify(root));
});

afterAll(async () => {
  await registry.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Runs cosign with a home of its own; whatever it would ask on the network is refused at once. */
async function cosign(...args: readonly string[]): Promise<void> {
  const nowhere = 'http://127.0.0.1:9';
  await run(COSIGN_PATH, [...args], {
    cwd: dir,
    env: {
      HOME: dir,
      COSIGN_PASSWORD: 'for a test',
      HTTPS_PROXY: nowhere,
      HTTP_PROXY: nowhere,
      NO_PROXY: '127.0.0.1',
    },
  });
}

/** Pushes a bundle, has cosign sign it, and fetches both as a host does. */
async function signedByCosign(path: string) {
  const port = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [registry.host] });
  const repository: Repository = { kind: 'registry', host: registry.host, path };
  const name = `${registry.host}/${path}`;
  const { manifest, blobs } = makeBundleContent(name);
  const digest = unwrap(await port.push(repository, ['prod'], manifest, blobs));
  const settings = ['--signing-config', 'signing.json', '--trusted-root', 'root.json'];
  const target = `${name}@${digest}`;
  await cosign('sign', '--key', 'cosign.key', ...settings, '--allow-http-registry', '-y', target);
  const reference = unwrap(parseReference(`${name}:prod`));
  const candidate = unwrap(await port.resolve(reference));
  const bundle = unwrap(await port.fetch(candidate));
  return { bundle, context: makeContext({ repository: name }) };
}

/** A trust policy that knows one key and takes these predicates for a release. */
function trustFor(pem: string, predicateTypes: readonly string[]): TrustPolicy {
  const { publicKeyPem, fingerprint } = unwrap(parsePublicKey(pem));
  const release = {
    minimumMatches: 1,
    anyOf: [makeTrustedKey('cosign', fingerprint, publicKeyPem)],
    identities: [],
    predicateTypes,
  };
  return makeTrust({ policies: [makeScope({ scope: registry.host, release, provenance: null })] });
}

test('warder verify accepts what cosign sign wrote where the trust policy lists its predicate', async () => {
  const { bundle, context } = await signedByCosign('acme/signed');
  expect(bundle.attestations).toHaveLength(1);
  const trust = trustFor(trustedPem, [PREDICATE.cosignSign]);
  const evidence = unwrap(await createVerifier().collect(bundle, trust));
  expect(judge(evidence, trust, context)).toMatchObject({
    kind: 'accepted',
    admission: { signers: [{ id: 'cosign' }] },
  });
});

test('what cosign sign wrote is no release where the trust policy does not list it', async () => {
  const { bundle, context } = await signedByCosign('acme/unlisted');
  const trust = trustFor(trustedPem, [PREDICATE.release]);
  const evidence = unwrap(await createVerifier().collect(bundle, trust));
  expect(judge(evidence, trust, context)).toMatchObject({
    kind: 'refused',
    failures: [{ code: 'verify/predicate-type' }, { code: 'verify/threshold-not-met' }],
  });
});

test('what cosign sign wrote under a key that is not listed is refused', async () => {
  const { bundle, context } = await signedByCosign('acme/stranger');
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const pem = other.export({ type: 'spki', format: 'pem' }).toString();
  const trust = trustFor(pem, [PREDICATE.cosignSign]);
  const evidence = unwrap(await createVerifier().collect(bundle, trust));
  expect(judge(evidence, trust, context)).toMatchObject({
    kind: 'refused',
    failures: [{ code: 'verify/key-unknown' }, { code: 'verify/threshold-not-met' }],
  });
});
