// The real cosign, cut off from every network but loopback: its proxy is a closed port, and Go never
// sends loopback traffic to a proxy. `cosignSign` is what other people's pipelines write.
//
// SPDX-License-Identifier: Apache-2.0

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COSIGN_PATH } from './tools.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;

/** A cosign key pair in a folder of its own. */
export interface CosignKey {
  readonly dir: string;
  /** SubjectPublicKeyInfo, PEM. */
  readonly publicKeyPem: string;
}

/** Runs cosign in `dir`; rejects when it fails. */
export async function cosign(dir: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    COSIGN_PASSWORD: 'passphrase',
    HTTP_PROXY: 'http://127.0.0.1:1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  };
  const running = run(COSIGN_PATH, args, { cwd: dir, env, timeout: TIMEOUT_MS });
  // It asks questions when it can, and waits for answers.
  running.child.stdin?.end();
  return (await running).stdout;
}

/** Makes a key pair for cosign in a new folder below `parent`. */
export async function makeCosignKey(parent: string): Promise<CosignKey> {
  const dir = await mkdtemp(join(parent, 'cosign-'));
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await writeFile(join(dir, 'plain.pem'), privateKey);
  await cosign(dir, 'import-key-pair', '--key', 'plain.pem', '--output-key-prefix', 'cosign');
  // A signing configuration without log and timestamp services: nothing leaves the machine.
  const config = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' };
  await writeFile(join(dir, 'signing-config.json'), JSON.stringify(config));
  return { dir, publicKeyPem: publicKey };
}

const OFFLINE = ['--signing-config', 'signing-config.json', '--allow-http-registry', '--yes'];

/** `cosign sign` of an artefact by digest: a statement of type https://sigstore.dev/cosign/sign/v1. */
export async function cosignSign(key: CosignKey, reference: string): Promise<void> {
  await cosign(key.dir, 'sign', '--key', 'cosign.key', ...OFFLINE, reference);
}

/** `cosign attest` of an artefact by digest with any predicate. */
export async function cosignAttest(
  key: CosignKey,
  reference: string,
  predicateType: string,
  predicate: unknown,
): Promise<void> {
  await writeFile(join(key.dir, 'predicate.json'), JSON.stringify(predicate));
  const what = ['--predicate', 'predicate.json', '--type', predicateType];
  await cosign(key.dir, 'attest', '--key', 'cosign.key', ...OFFLINE, ...what, reference);
}
