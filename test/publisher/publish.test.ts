// Publishing for real: a Git repository, a key file, a registry. What hosts will find is read back.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/adapters/git/source.ts';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { createFileSigner, type FileSigner } from '../../src/adapters/sigstore/signer.ts';
import { generateKey } from '../../src/adapters/sigstore/signing-key.ts';
import { PREDICATE } from '../../src/core/bundle.ts';
import { type BuiltBundle, buildBundle } from '../../src/publisher/build.ts';
import { type PublishEvent, type PublishRequest, publish } from '../../src/publisher/publish.ts';
import { parseDescriptor } from '../../src/wire/descriptor.ts';
import { parseProvenancePredicate } from '../../src/wire/slsa.ts';
import { parseReleasePredicate, parseStatement } from '../../src/wire/statement.ts';
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

let server: TestRegistry;
let keys: string;
let signer: FileSigner;
let repository: PolicyRepository;
let next = 0;
let name: string;

beforeAll(async () => {
  server = await startRegistry();
  keys = await mkdtemp(join(tmpdir(), 'warder-keys-'));
  unwrap(await generateKey(join(keys, 'ci.pem'), 'passphrase'));
  signer = unwrap(await createFileSigner(join(keys, 'ci.pem'), 'passphrase'));
});
afterAll(async () => {
  await server.stop();
  await rm(keys, { recursive: true });
});
beforeEach(async () => {
  repository = await makePolicyRepository();
  next += 1;
  name = `${server.host}/acme/policies${next}`;
  return () => repository.remove();
});

const files = () => ({
  'warder.yaml': publishConfig(name),
  'policies/demo.yaml': POLICY,
  'policies/demo.test.yaml': POLICY_TEST,
  'policies/README.md': 'not policy',
});

function request(revision = 'HEAD'): PublishRequest & { readonly events: PublishEvent[] } {
  const events: PublishEvent[] = [];
  return {
    source: createGitSource({ gitPath: GIT_PATH, dir: repository.dir }),
    revision,
    previous: null,
    registry: createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [server.host] }),
    signer,
    onEvent: (event) => events.push(event),
    events,
  };
}

const codesOf = (result: { ok: true } | { ok: false; error: readonly { code: string }[] }) =>
  result.ok ? ['published'] : result.error.map((one) => one.code);

describe('publishing a commit', () => {
  it('puts a bundle with release, provenance and cosign statements under both tags', async () => {
    const commit = repository.commit(files());
    const wanted = request();
    const published = unwrapAll(await publish(wanted));
    expect(published.tags).toEqual(['prod-v1', 'prod']);
    expect(wanted.events.map((event) => event.kind)).toEqual([
      ...['built', 'pushed', 'attached', 'attached', 'attached', 'listed', 'tagged'],
    ]);
    const place = published.repository;
    for (const tag of published.tags) {
      const found = unwrap(await wanted.registry.resolve({ repository: place, tag, digest: null }));
      expect(found.digest).toBe(published.bundle.digest);
    }
    const reference = { repository: place, tag: 'prod', digest: null };
    const fetched = unwrap(
      await wanted.registry.fetch({ reference, digest: published.bundle.digest }),
    );
    const statements = fetched.attestations.map((one) => {
      const opened = signer.open(one);
      expect(opened).not.toBeNull();
      return unwrap(parseStatement(opened ?? new Uint8Array()));
    });
    const descriptor = unwrap(parseDescriptor(fetched.config));
    expect(descriptor).toMatchObject({
      version: 1,
      repository: name,
      createdAt: '2026-01-02T03:04:05Z',
      expires: '2026-02-01T03:04:05Z',
      source: { commit },
    });
    expect(statements.map((one) => one.subjects)).toEqual(
      statements.map(() => [published.bundle.digest]),
    );
    const byType = new Map(statements.map((one) => [one.predicateType, one.predicate]));
    expect(unwrap(parseReleasePredicate(byType.get(PREDICATE.release)))).toEqual(descriptor);
    expect(unwrap(parseProvenancePredicate(byType.get(PREDICATE.provenance)))).toMatchObject({
      commit,
      repository: 'https://git.example.com/acme/policies',
    });
    expect(byType.has(PREDICATE.cosignSign)).toBe(true);
  });

  it('the same commit again changes nothing', async () => {
    repository.commit(files());
    const first = unwrapAll(await publish(request()));
    const again = request();
    const second = unwrapAll(await publish(again));
    expect(first.changed).toBe(true);
    expect(second.changed).toBe(false);
    expect(second.bundle.digest).toBe(first.bundle.digest);
    const place = first.repository;
    expect(unwrap(await again.registry.list(place, first.bundle.digest))).toHaveLength(3);
  });

  it('a bundle requires what its rules need, and what the repository says besides', async () => {
    repository.commit(files());
    const { descriptor } = unwrapAll<BuiltBundle>(await buildBundle(request()));
    expect(descriptor.requires.kernel).toBe('6.1');
    expect(descriptor.requires.hooks).toContain('inode_unlink');
    expect(descriptor.requires.hooks).not.toContain('sb_mount');
    const more = 'requires: { kernel: "6.12", hooks: [sb_mount] }\n';
    repository.commit({ ...files(), 'warder.yaml': publishConfig(name, more) });
    const written = unwrapAll<BuiltBundle>(await buildBundle(request())).descriptor.requires;
    expect(written).toEqual({
      kernel: '6.12',
      hooks: [...descriptor.requires.hooks, 'sb_mount'].sort(),
    });
    for (const bad of ['kernel: "6.0"', 'kernel: "6.01"', 'kernel: 6.1', 'hooks: [no_hook]']) {
      const config = publishConfig(name, `requires: { ${bad} }\n`);
      repository.commit({ ...files(), 'warder.yaml': config });
      expect(codesOf(await buildBundle(request()))).toEqual(['config/invalid']);
    }
  });

  it('the same version with other content is publish/version-taken', async () => {
    repository.commit(files());
    unwrapAll(await publish(request()));
    repository.git('commit', '--amend', '--quiet', '--message', 'rewritten');
    expect(codesOf(await publish(request()))).toEqual(['publish/version-taken']);
  });

  it('an older commit that was never published does not move the channel back', async () => {
    repository.commit(files());
    repository.commit({ 'policies/demo.yaml': POLICY.replace('does not', 'never does') });
    unwrapAll(await publish(request('HEAD')));
    expect(codesOf(await publish(request('HEAD~1')))).toEqual(['publish/older-than-channel']);
  });

  it('a failing policy test stops it before anything is pushed', async () => {
    const broken = POLICY_TEST.replace('expect: allow', 'expect: deny');
    repository.commit({ ...files(), 'policies/demo.test.yaml': broken });
    const wanted = request();
    expect(codesOf(await publish(wanted))).toEqual(['publish/tests-failed']);
    expect(wanted.events).toEqual([]);
  });

  it('goes to another place when asked, under the name that is signed', async () => {
    repository.commit(files());
    const destination = { kind: 'oci-layout', dir: join(repository.dir, '.git/layout') } as const;
    const registry = createLayoutRegistry();
    const published = unwrapAll(await publish({ ...request(), destination, registry }));
    const reference = { repository: destination, tag: 'prod', digest: null };
    const found = unwrap(await registry.resolve(reference));
    expect(found.digest).toBe(published.bundle.digest);
    expect(unwrap(await registry.fetch(found)).attestations).toHaveLength(3);
    expect(published.bundle.descriptor.repository).toBe(name);
  });
});

describe('building a commit', () => {
  it('reads what is committed, from a bare repository too, and gives the same digest', async () => {
    const commit = repository.commit(files());
    const bare = join(keys, `bare${next}.git`);
    repository.git('clone', '--quiet', '--bare', repository.dir, bare);
    const fromClone = unwrapAll(await buildBundle(request()));
    const source = createGitSource({ gitPath: GIT_PATH, dir: bare });
    const fromBare = unwrapAll(await buildBundle({ ...request(commit), source }));
    expect(fromBare.digest).toBe(fromClone.digest);
    expect(fromBare.descriptor.files.map((file) => file.path)).toEqual([
      ...['policies/demo.yaml', 'policies/demo.test.yaml', 'policy.ir.json'],
    ]);
  });
});

function unwrapAll<T>(
  result: { ok: true; value: T } | { ok: false; error: readonly unknown[] },
): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error, null, 2));
}
