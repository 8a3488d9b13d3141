// Over an air gap: a bundle with all that belongs to it goes into one archive and comes out again on a host that
// trusts nothing of it. The ids are those of the list of hostile inputs; whatever is wrong with an archive, the
// target folder is not even made.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { MEDIA, PREDICATE } from '../../src/core/bundle.ts';
import { parseReference, type Repository } from '../../src/core/reference.ts';
import type { RegistryPort, RegistryWritePort } from '../../src/ports.ts';
import { encodeCarrier } from '../../src/wire/carrier.ts';
import { digestOf } from '../../src/wire/content.ts';
import { CLOCK, type Printed, run } from '../support/cli.ts';
import { headOf, signHead } from '../support/heads.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import { encodeJson, makeSignedBundle, makeSigner } from '../support/signed-bundle.ts';
import { makeTar, type TarEntry } from '../support/tar.ts';
import { ORAS_PATH } from '../support/tools.ts';
import { NOW_MS } from '../support/verify.ts';

const CANONICAL = 'registry.example.com/policies/web';
const signer = makeSigner();
let dir = '';
let registry: TestRegistry;
let signed: Awaited<ReturnType<typeof makeSignedBundle>>;
const at = (name: string) => join(dir, name);
const layout = (name: string): Repository => ({ kind: 'oci-layout', dir: at(name) });

const services = { clock: { ...CLOCK, nowMs: () => NOW_MS } };
const warder = (...argv: readonly string[]) => run(argv, { cwd: dir, services });
const importing = (file: string, to: string, tag = 'prod', trust = 'trust.yaml') =>
  warder(
    ...['import', file, '--to', `oci-layout:${at(to)}:${tag}`, '--trust', trust],
    ...['--repository', CANONICAL, '--channel', 'prod', '-o', 'json'],
  );
const exporting = (name: string, out: string) =>
  warder('export', `oci-layout:${at(name)}:prod`, '--out', out, '-o', 'json');

/** An artifact of some other kind: an SBOM that refers to the bundle, or a head under its own tag. */
function artifact(type: string, text: string, subject?: object) {
  const bytes = Buffer.from(text);
  const empty = Buffer.from('{}');
  const layer = { mediaType: 'text/plain', digest: digestOf(bytes), size: bytes.length };
  const config = { mediaType: MEDIA.empty, digest: digestOf(empty), size: empty.length };
  const manifest = encodeJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: type,
    config,
    layers: [layer],
    ...(subject === undefined ? {} : { subject }),
  });
  const blobs = [
    { descriptor: config, bytes: empty },
    { descriptor: layer, bytes },
  ];
  return { manifest, blobs };
}

/** Publishes the bundle, its attestations, an SBOM and a head. */
async function fill(port: RegistryPort & RegistryWritePort, repository: Repository) {
  const { manifest, blobs } = signed.content;
  const digest = unwrap(await port.push(repository, ['prod'], manifest, blobs));
  const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
  for (const it of signed.bytes.attestations) {
    unwrap(await port.attach(repository, subject, it, PREDICATE.release));
  }
  const head = encodeCarrier('head', await signHead(headOf(signed.bytes, 7, NOW_MS), signer));
  unwrap(await port.push(repository, ['prod.head'], head.manifest, head.blobs));
}

beforeAll(async () => {
  registry = await startRegistry();
  dir = await mkdtemp(join(tmpdir(), 'warder-archive-'));
  signed = await makeSignedBundle(signer);
  await writeFile(at('ci.pub'), signer.publicKeyPem);
  const key = { file: 'ci.pub', notBefore: '2026-01-01', notAfter: '2027-01-01' };
  const policy = {
    name: 'prod',
    scope: CANONICAL,
    channels: ['prod'],
    require: { release: { minimumMatches: 1, anyOf: [{ id: 'ci', key }] } },
  };
  const write = (file: string, it: object) => {
    const document = { apiVersion: 'warder.dev/trust/v1', version: 1, policies: [it] };
    return writeFile(at(file), JSON.stringify(document));
  };
  await write('trust.yaml', policy);
  await write('heads.yaml', { ...policy, freshness: { head: 'required', maxAge: '24h' } });
  const port = createLayoutRegistry();
  await fill(port, layout('origin'));
  const { manifest } = signed.content;
  const subject = { mediaType: MEDIA.manifest, digest: digestOf(manifest), size: manifest.length };
  const sbom = artifact('application/spdx+json', 'an SBOM', subject);
  unwrap(await port.push(layout('origin'), [], sbom.manifest, sbom.blobs));
  const policy2 = artifact('application/vnd.warder.trust.v1+json', 'a trust policy');
  unwrap(await port.push(layout('origin'), ['prod.trust.v2'], policy2.manifest, policy2.blobs));
  expect(await exporting('origin', 'good.tar')).toMatchObject({ exit: 0, stderr: '' });
});
afterAll(async () => {
  await registry.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('a good archive', () => {
  test('holds bundle, attestations, head and what else refers to it, and comes out equal', async () => {
    const printed = await importing('good.tar', 'target');
    expect(JSON.parse(printed.stdout)).toMatchObject({
      exit: 0,
      kind: 'Import',
      verdict: 'accepted',
      tags: ['prod', 'prod.head', 'prod.trust.v2'],
      artifacts: 6,
    });
    expect(await exporting('target', 'again.tar')).toMatchObject({ exit: 0 });
    expect(readFileSync(at('again.tar'))).toEqual(readFileSync(at('good.tar')));
    const reference = unwrap(parseReference(`oci-layout:${at('target')}:prod`));
    const fetched = await createLayoutRegistry().fetch({
      reference,
      digest: signed.bytes.digest,
    });
    expect(unwrap(fetched).attestations).toHaveLength(2);
  });

  test('is imported by its head where the trust policy demands one, and not without', async () => {
    expect(await importing('good.tar', 'headed', 'prod', 'heads.yaml')).toMatchObject({ exit: 0 });
    const port = createLayoutRegistry();
    const { manifest, blobs } = signed.content;
    const digest = unwrap(await port.push(layout('headless'), ['prod'], manifest, blobs));
    const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
    for (const it of signed.bytes.attestations) {
      unwrap(await port.attach(layout('headless'), subject, it, PREDICATE.release));
    }
    expect(await exporting('headless', 'headless.tar')).toMatchObject({ exit: 0 });
    const printed = await importing('headless.tar', 'never', 'prod', 'heads.yaml');
    expect(codeOf(printed)).toBe('verify/head-missing');
    expect(existsSync(at('never'))).toBe(false);
  });

  test('may be imported twice, and is never written over', async () => {
    expect(await importing('good.tar', 'target')).toMatchObject({ exit: 0 });
    expect(await exporting('origin', 'good.tar')).toMatchObject({ exit: 2 });
  });

  test('is made from a real registry too, which oras and tar read', async () => {
    const name = `${registry.host}/acme/web`;
    const options = { orasPath: ORAS_PATH, plainHttpHosts: [registry.host] };
    await fill(createOrasRegistry(options), unwrap(parseReference(name)).repository);
    const insecure = ['--oras', ORAS_PATH, '--insecure-registry', registry.host];
    const printed = await warder('export', `${name}:prod`, '--out', 'remote.tar', ...insecure);
    expect(printed).toMatchObject({ exit: 0 });
    expect(await importing('remote.tar', 'from-remote')).toMatchObject({ exit: 0 });
    const words = ['resolve', '--oci-layout', `${at('remote.tar')}:prod`];
    const resolved = execFileSync(ORAS_PATH, words, { encoding: 'utf8', cwd: dir });
    expect(resolved.trim()).toBe(signed.bytes.digest);
  });

  test('may be written by another tar', async () => {
    await mkdir(at('unpacked'));
    execFileSync('tar', ['-xf', at('good.tar'), '-C', at('unpacked')]);
    const names = ['oci-layout', 'index.json', 'blobs/'];
    const format = ['--format=gnu', '--owner=0', '--group=0'];
    execFileSync('tar', [...format, '-cf', at('gnu.tar'), '-C', at('unpacked'), ...names]);
    expect(await importing('gnu.tar', 'from-gnu')).toMatchObject({ exit: 0 });
  });
});

const codeOf = (printed: Printed) => JSON.parse(printed.stdout).errors[0].code as unknown;

/** Spoils the good archive in one respect and asks what becomes of it. */
async function refusal(bytes: Uint8Array): Promise<unknown> {
  await writeFile(at('bad.tar'), bytes);
  const printed = await importing('bad.tar', 'never');
  expect(existsSync(at('never'))).toBe(false);
  expect(printed.exit).not.toBe(0);
  return codeOf(printed);
}

describe('a hostile archive is refused whole', () => {
  const BLOB = `blobs/sha256/${'0'.repeat(64)}`;
  const SPARSE = '\x80\0\0\0\0\0\0\0\0\0\x10\0';
  const inside = (...more: readonly TarEntry[]) => {
    const good = readFileSync(at('good.tar'));
    return Buffer.concat([makeTar(...more).subarray(0, -1024), good]);
  };
  test.each<[string, TarEntry]>([
    ['A01 a name that leads out', { name: '../x' }],
    ['A01 a name that leads out later', { name: 'blobs/sha256/../../../x' }],
    ['A02 an absolute name', { name: '/etc/cron.d/x' }],
    ['A03 a link', { name: BLOB, type: '2', target: '/etc/shadow' }],
    ['A03 a link in the place of a folder', { name: 'blobs/', type: '2', target: '/etc' }],
    ['A04 a hard link', { name: BLOB, type: '1', target: '/etc/shadow' }],
    ['A05 a hard link to what is beside', { name: BLOB, type: '1', target: 'trust.yaml' }],
    ['A06 a chain of links', { name: 'blobs/a', type: '2', target: 'b' }],
    ['A07 a device', { name: BLOB, type: '3' }],
    ['A07 a block device', { name: BLOB, type: '4' }],
    ['A07 a FIFO', { name: 'index.json', type: '6' }],
    ['A08 a set-id bit', { name: BLOB, mode: 0o4755 }],
    ['A08 a sticky bit', { name: BLOB, mode: 0o1644 }],
    ['A09 a sparse file', { name: BLOB, type: 'S' }],
    ['A09 a size in base 256', { name: BLOB, size: Buffer.from(SPARSE, 'latin1') }],
    ['A11 an extended header', { name: 'x', type: 'x', content: Buffer.from('11 size=99\n') }],
    ['A11 a global extended header', { name: 'x', type: 'g', content: Buffer.from('9 path=a\n') }],
    ['A11 a long name of GNU', { name: '././@LongLink', type: 'L', content: Buffer.from('a') }],
    ['A12 an entry of a folder that is not of a layout', { name: 'out/x' }],
    ['A12 a folder that is not of a layout', { name: 'out/', type: '5' }],
    ['a name in two parts', { name: 'json', prefix: 'index.' }],
    ['bytes behind the name', { name: `${BLOB}\0x` }],
    ['a wrong sum', { name: BLOB, sum: 1 }],
    ['a size that is not there', { name: BLOB, size: '77777777777\0' }],
    ['a size with a sign', { name: BLOB, size: '-0000000001\0' }],
    ['an old header', { name: BLOB, magic: '\0\0\0\0\0\0\0\0' }],
    ['a marker twice', { name: 'oci-layout', content: Buffer.from('{}') }],
    ['a blob that nothing names', { name: BLOB }],
  ])('%s', async (_name, entry) => {
    expect(await refusal(inside(entry))).toBe('fetch/archive-unsafe');
  });

  test.each<[string, () => Uint8Array]>([
    ['A10 a bomb of gzip', () => gzipSync(Buffer.alloc(10_000_000))],
    ['A10 the same archive compressed', () => gzipSync(readFileSync(at('good.tar')))],
    ['nothing', () => Buffer.alloc(0)],
    ['an end that is not there', () => readFileSync(at('good.tar')).subarray(0, -1024)],
    ['half of it', () => readFileSync(at('good.tar')).subarray(0, 4000)],
    ['something behind the end', () => Buffer.concat([readFileSync(at('good.tar')), BYTE])],
    ['5,000 entries', () => makeTar(...Array(5000).fill({ name: 'blobs/', type: '5' }))],
  ])('%s', async (_name, make) => {
    expect(await refusal(make())).toBe('fetch/archive-unsafe');
  });
  const BYTE = Buffer.of(1);

  test('a file that is too large, a folder and a device are not read', async () => {
    await writeFile(at('huge.tar'), '');
    await truncate(at('huge.tar'), 2 ** 40);
    for (const file of ['huge.tar', 'origin', '/dev/zero']) {
      const printed = await importing(file, 'never');
      expect(codeOf(printed), file).toBe('fetch/archive-unsafe');
    }
  });

  test('a bundle whose bytes were changed is refused wherever the change is', async () => {
    const good = readFileSync(at('good.tar'));
    const step = Math.floor(good.length / 15);
    for (let place = 300; place < good.length - 1024; place += step) {
      const changed = Buffer.from(good);
      changed[place] = (changed[place] ?? 0) ^ 1;
      // A change in the padding or in a field that says nothing changes nothing: the result is equal then.
      await writeFile(at('bad.tar'), changed);
      const printed = await importing('bad.tar', 'maybe');
      if (printed.exit !== 0) expect(existsSync(at('maybe'))).toBe(false);
      else {
        expect(JSON.parse(printed.stdout)).toMatchObject({ digest: signed.bytes.digest });
        await rm(at('maybe'), { recursive: true });
      }
    }
  });
});

describe('what an archive holds is not believed', () => {
  const files = () => {
    execFileSync('rm', ['-rf', at('edit')]);
    execFileSync('mkdir', [at('edit')]);
    execFileSync('tar', ['-xf', at('good.tar'), '-C', at('edit')]);
    return at('edit');
  };
  const packed = () => {
    execFileSync('tar', [
      '-cf',
      at('edited.tar'),
      '-C',
      at('edit'),
      'oci-layout',
      'index.json',
      'blobs',
    ]);
    return readFileSync(at('edited.tar'));
  };

  test('a blob with other bytes is refused', async () => {
    const [first] = signed.content.blobs;
    const name = first?.descriptor.digest.slice(7) ?? '';
    await writeFile(join(files(), 'blobs/sha256', name), 'other');
    expect(await refusal(packed())).toMatch(/^fetch\/(blob-truncated|digest-mismatch)$/);
  });

  test('a blob that is missing is refused', async () => {
    const [first] = signed.content.blobs;
    const name = first?.descriptor.digest.slice(7) ?? '';
    await rm(join(files(), 'blobs/sha256', name));
    expect(await refusal(packed())).toBe('fetch/archive-unsafe');
  });

  test('the tag of another channel is refused', async () => {
    const index = join(files(), 'index.json');
    const text = readFileSync(index, 'utf8').replace('"prod.head"', '"staging"');
    await writeFile(index, text);
    expect(await refusal(packed())).toBe('fetch/archive-unsafe');
  });

  test('a bundle that nobody trusted has signed is refused, and one without any signature', async () => {
    const other = await makeSignedBundle(makeSigner());
    const port = createLayoutRegistry();
    const { manifest, blobs } = other.content;
    const digest = unwrap(await port.push(layout('stranger'), ['prod'], manifest, blobs));
    await exporting('stranger', 'unsigned.tar');
    expect(await refusal(readFileSync(at('unsigned.tar')))).toBe('verify/no-attestations');
    const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
    for (const it of other.bytes.attestations) {
      unwrap(await port.attach(layout('stranger'), subject, it, PREDICATE.release));
    }
    await exporting('stranger', 'stranger.tar');
    expect(await refusal(readFileSync(at('stranger.tar')))).toBe('verify/key-unknown');
  });

  test('a tag that is not in it is not found', async () => {
    const printed = await importing('good.tar', 'never', 'staging');
    expect(codeOf(printed)).toBe('fetch/archive-unsafe');
  });
});
