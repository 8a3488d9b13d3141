// SPDX-License-Identifier: Apache-2.0
// `warder` as a program: what `warder verify` says from its start-up snapshot is what the sources say, and
// what it refuses it refuses with the same exit status.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { MEDIA, PREDICATE } from '../../src/core/bundle.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { parseReference } from '../../src/core/reference.ts';
import { unwrap } from '../support/result.ts';
import { encodeJson, makeSigner, makeStatements, signBundle } from '../support/signed-bundle.ts';

const SOURCES = [new URL('../../src/main.ts', import.meta.url).pathname];
const CANONICAL = 'registry.example.com/policies/web';
const HOUR_MS = 3_600_000;
const SECRET = 'not-to-be-found-9f1b';

let dir = '';
let program = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-program-'));
  process.env['WARDER_TEST_SECRET'] = SECRET;
  const file = new URL('../../packaging/program/program.mjs', import.meta.url).href;
  const { writeProgram } = (await import(file)) as { writeProgram(dir: string): Promise<string> };
  program = await writeProgram(join(dir, 'pro gram'));
  await fill();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function fill(): Promise<void> {
  const signer = makeSigner();
  const at = (hours: number): string =>
    `${new Date(Date.now() + hours * HOUR_MS).toISOString().slice(0, 19)}Z`;
  const made = makeStatements({ createdAt: at(-1), notBefore: at(-1), expires: at(1000) });
  const port = createLayoutRegistry();
  const { repository } = unwrap(parseReference(`oci-layout:${join(dir, 'layout')}:prod`));
  const { manifest, blobs } = made.content;
  const digest = unwrap(await port.push(repository, ['prod'], manifest, blobs));
  const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
  const release = encodeJson(await signBundle(made.release, signer));
  unwrap(await port.attach(repository, subject, release, PREDICATE.release));
  const day = (hours: number): string => at(hours).slice(0, 10);
  await mkdir(join(dir, 'other'));
  for (const [folder, key] of [
    ['.', signer],
    ['other', makeSigner()],
  ] as const) {
    await writeFile(join(dir, folder, 'ci.pub'), key.publicKeyPem);
    const anyOf = [{ id: 'ci', key: { file: 'ci.pub', notBefore: day(-48), notAfter: day(2000) } }];
    const require = { release: { minimumMatches: 1, anyOf } };
    const policies = [{ name: 'prod', scope: CANONICAL, channels: ['prod'], require }];
    const document = { apiVersion: 'warder.dev/trust/v1', version: 1, policies };
    await writeFile(join(dir, folder, 'trust.yaml'), JSON.stringify(document));
  }
}

interface Ran {
  readonly exit: number;
  readonly document: unknown;
}

function run(file: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(file, [...args, '-o', 'json'], { cwd: dir, env: {} }, (_e, stdout) => {
      // When it was asked is the only thing that may differ.
      const text = stdout.replace(/"(at|now|verifiedAt)": ?"[^"]*"/g, '"$1":""');
      resolve({ exit: child.exitCode ?? -1, document: text === '' ? null : JSON.parse(text) });
    });
  });
}

const verifying = (trust: string, tag = 'prod') => [
  'verify',
  `oci-layout:${join(dir, 'layout')}:${tag}`,
  ...['--trust', trust, '--repository', CANONICAL],
];

test.each([
  ['accepts a bundle', 0, () => verifying('trust.yaml')],
  ['refuses what another key signed', 12, () => verifying('other/trust.yaml')],
  ['refuses what is not there', 11, () => verifying('trust.yaml', 'missing')],
  ['refuses a trust policy that is not there', 2, () => verifying('none.yaml')],
  ['refuses evidence that is not there', 2, () => ['verify', '--evidence', 'none']],
  ['refuses an option that is none', 2, () => ['verify', '--trusted']],
  ['prints its help', 0, () => ['verify', '--help']],
  ['prints its version', 0, () => ['--version']],
])('%s, as the sources do', async (_name, exit, args) => {
  const ran = await run(program, args());
  expect(ran.exit).toBe(exit);
  expect(ran.document).not.toBeNull();
  expect(ran).toEqual(await run(process.execPath, [...SOURCES, ...args()]));
});

test('has a worker for what is too large for its own process', async () => {
  const large = join(dir, 'layout', 'blobs', 'sha256');
  const port = createLayoutRegistry();
  const reference = unwrap(parseReference(`oci-layout:${join(dir, 'layout')}:prod`));
  const { digest } = unwrap(await port.resolve(reference));
  const manifest = await readFile(join(large, digest.slice('sha256:'.length)));
  const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
  for (const letter of ['x', 'y']) {
    const junk = encodeJson(letter.repeat(LIMITS.attestationBytesMax - 100));
    unwrap(await port.attach(reference.repository, subject, junk, PREDICATE.release));
  }
  expect(await run(program, verifying('trust.yaml'))).toMatchObject({ exit: 0 });
  expect(await run(program, verifying('other/trust.yaml'))).toMatchObject({ exit: 12 });
});

test('has nothing of the environment of who made it', async () => {
  const blob = await readFile(join(dir, 'pro gram', 'verify.blob'));
  expect(blob.includes(SECRET)).toBe(false);
  expect(blob.includes(pathToFileURL(dir).pathname)).toBe(false);
});
