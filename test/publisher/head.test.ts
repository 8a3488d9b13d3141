// Signing a channel's head for real: a Git repository, a key file, a registry that tells nothing and one
// that lies. What a host will find is read back and judged.
//
// SPDX-License-Identifier: Apache-2.0

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/adapters/git/source.ts';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { createFileSigner, type FileSigner } from '../../src/adapters/sigstore/signer.ts';
import { generateKey } from '../../src/adapters/sigstore/signing-key.ts';
import { createVerifier } from '../../src/adapters/sigstore/verifier.ts';
import type { Repository } from '../../src/core/reference.ts';
import { demandsHead, judgeHead } from '../../src/core/verify/head.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { type HeadRequest, publishHead } from '../../src/publisher/head.ts';
import { publish } from '../../src/publisher/publish.ts';
import { parsePublicKey } from '../../src/wire/trust-key.ts';
import {
  GIT_PATH,
  makePolicyRepository,
  POLICY,
  POLICY_TEST,
  type PolicyRepository,
  publishConfig,
} from '../support/policy-repository.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import { ORAS_PATH } from '../support/tools.ts';
import { makeScope, makeTrust, makeTrustedKey } from '../support/verify.ts';

const NOW_MS = Date.parse('2026-01-05T12:00:00Z');
const HOUR_MS = 3_600_000;

let server: TestRegistry;
let dir: string;
let signer: FileSigner;
let repository: PolicyRepository;
let next = 0;
let name: string;

beforeAll(async () => {
  server = await startRegistry();
  dir = await mkdtemp(join(tmpdir(), 'warder-head-'));
  unwrap(await generateKey(join(dir, 'ci.pem'), 'passphrase'));
  signer = unwrap(await createFileSigner(join(dir, 'ci.pem'), 'passphrase'));
});
afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true });
});
beforeEach(async () => {
  repository = await makePolicyRepository();
  next += 1;
  name = `${server.host}/acme/policies${next}`;
  repository.commit({
    'warder.yaml': publishConfig(name),
    'policies/demo.yaml': POLICY,
    'policies/demo.test.yaml': POLICY_TEST,
  });
  return () => repository.remove();
});

const registry = (orasPath = ORAS_PATH) =>
  createOrasRegistry({ orasPath, plainHttpHosts: [server.host] });

function request(change: Partial<HeadRequest> = {}): HeadRequest {
  return {
    source: createGitSource({ gitPath: GIT_PATH, dir: repository.dir }),
    revision: 'HEAD',
    previous: null,
    registry: registry(),
    signer,
    nowMs: NOW_MS,
    lifetimeMs: 48 * HOUR_MS,
    ...change,
  };
}

function trustFor(place: string): TrustPolicy {
  const { fingerprint, publicKeyPem } = unwrap(parsePublicKey(signer.publicKeyPem));
  const anyOf = [makeTrustedKey('ci', fingerprint, publicKeyPem)];
  const freshness = { maxAgeMs: 24 * HOUR_MS, anyOf, identities: [] };
  const release = { ...makeScope().release, anyOf };
  return makeTrust({ policies: [makeScope({ scope: place, release, freshness })] });
}

/** What a host makes of the head in a repository. */
async function judgeAt(place: Repository, nowMs: number, from = registry()) {
  const trust = trustFor(name);
  const statements = await from.head(place, 'prod');
  if (!statements.ok) return statements.error.code;
  const facts = unwrap(await createVerifier({ idleMs: 1 }).read(statements.value, trust));
  const known = { nowMs, repository: name, channel: 'prod', last: null, floor: null };
  const scope = demandsHead(trust, known);
  if (scope === null) throw new Error('heads are demanded here');
  const judged = judgeHead(facts, trust, scope, known);
  return judged.ok ? judged.value.head : judged.error[0].code;
}

describe('signing the head of a channel', () => {
  it('says what is the newest, in one request, and again whenever it is asked to', async () => {
    const published = await publish({ ...request(), onEvent: () => {} });
    if (!published.ok) throw new Error(JSON.stringify(published.error));
    const { repository: place, bundle } = published.value;
    expect(await judgeAt(place, NOW_MS)).toBe('verify/head-missing');
    const signed = await publishHead(request());
    expect(signed).toMatchObject({ ok: true, value: { signedBy: signer.signedBy } });

    // Each run of oras leaves a line.
    const log = join(dir, 'runs');
    const counting = join(dir, 'oras');
    await writeFile(counting, `#!/bin/sh\necho "$1" >> '${log}'\nexec '${ORAS_PATH}' "$@"\n`);
    await chmod(counting, 0o755);
    const head = await judgeAt(place, NOW_MS + HOUR_MS, registry(counting));
    expect(head).toMatchObject({
      repository: name,
      version: 1,
      digest: bundle.digest,
      sequence: NOW_MS / 1000,
      issuedAt: '2026-01-05T12:00:00Z',
      expires: '2026-01-07T12:00:00Z',
    });
    const runs = (await readFile(log, 'utf8')).trim().split('\n');
    expect(runs.filter((it) => it !== 'version')).toEqual(['manifest']);

    expect(await judgeAt(place, NOW_MS + 25 * HOUR_MS)).toBe('verify/stale-head');
    unwrapped(await publishHead(request({ nowMs: NOW_MS + 24 * HOUR_MS })));
    expect(await judgeAt(place, NOW_MS + 25 * HOUR_MS)).toMatchObject({ version: 1 });
  });

  it('signs nothing that the registry says and Git does not', async () => {
    expect(await publishHead(request())).toMatchObject({ error: [{ code: 'resolve/not-found' }] });
    unwrapped(await publish({ ...request(), onEvent: () => {} }));
    repository.commit({ 'policies/demo.yaml': `${POLICY}# changed\n` });
    expect(await publishHead(request())).toMatchObject({
      error: [{ code: 'publish/head-not-published' }],
    });
    expect(await publishHead(request({ revision: 'HEAD~1' }))).toMatchObject({ ok: true });
  });

  it('goes into a layout too, where the newer one replaces it', async () => {
    const place: Repository = { kind: 'oci-layout', dir: join(dir, `layout${next}`) };
    const layout = createLayoutRegistry();
    const change = { registry: layout, destination: place };
    unwrapped(await publish({ ...request(change), onEvent: () => {} }));
    expect(await judgeAt(place, NOW_MS, layout)).toBe('verify/head-missing');
    unwrapped(await publishHead(request(change)));
    unwrapped(await publishHead(request({ ...change, nowMs: NOW_MS + HOUR_MS })));
    const head = await judgeAt(place, NOW_MS + HOUR_MS, layout);
    expect(head).toMatchObject({ issuedAt: '2026-01-05T13:00:00Z' });
  });

  it('is no head when the registry has something else under the tag', async () => {
    const published = unwrapped(await publish({ ...request(), onEvent: () => {} }));
    const { bundle, repository: place } = published;
    unwrap(await registry().push(place, ['prod.head'], bundle.manifest, bundle.blobs));
    expect(await judgeAt(place, NOW_MS)).toBe('verify/head-invalid');
  });
});

function unwrapped<T>(
  result:
    | { readonly ok: true; readonly value: T }
    | { readonly ok: false; readonly error: unknown },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
