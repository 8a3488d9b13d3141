// The signer of a publication with an identity: its files, its one certificate, what it takes for its
// own, and what it refuses, through a private sigstore on loopback.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKeylessSigner } from '../../src/adapters/sigstore/keyless-files.ts';
import { CLAIMS, makeReleased, SUBJECT, signKeyless } from '../support/keyless.ts';
import { makeToken, type PrivateSigstore, startSigstore } from '../support/private-sigstore.ts';
import { unwrap } from '../support/result.ts';
import { encodeJson } from '../support/signed-bundle.ts';

let sigstore: PrivateSigstore;
let stranger: PrivateSigstore;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'warder-keyless-'));
  [sigstore, stranger] = await Promise.all([startSigstore(), startSigstore()]);
});
afterAll(async () => {
  await Promise.all([sigstore.stop(), stranger.stop()]);
  rmSync(dir, { recursive: true });
});

function files(token: string, config: unknown = sigstore.signingConfig(2)) {
  const at = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  return {
    signingConfig: at('signing.json', JSON.stringify(config)),
    trustedRoot: at('root.json', JSON.stringify(sigstore.rootJson)),
    identityToken: at('token', `${token}\n`),
  };
}

test('one certificate serves a publication, and its own attestations are found again', async () => {
  const { release, provenance } = makeReleased();
  const signer = unwrap(await openKeylessSigner(files(makeToken(CLAIMS))));
  expect(signer.signedBy).toBe(SUBJECT);
  const before = sigstore.requests.filter((it) => it.includes('signingCert')).length;
  for (const statement of [release, provenance]) {
    const attestation = unwrap(await signer.sign(statement));
    expect(signer.open(attestation)).toEqual(Buffer.from(statement));
  }
  expect(sigstore.requests.filter((it) => it.includes('signingCert')).length).toBe(before);
  const again = unwrap(await openKeylessSigner(files(makeToken(CLAIMS))));
  expect(again.open(unwrap(await signer.sign(release)))).toEqual(Buffer.from(release));
});

test('what another identity, or another sigstore, has signed is not its own', async () => {
  const { release } = makeReleased();
  const signer = unwrap(await openKeylessSigner(files(makeToken(CLAIMS))));
  const byOther = await signKeyless(sigstore, release, { sub: `${SUBJECT}0` });
  expect(signer.open(encodeJson(byOther))).toBeNull();
  expect(signer.open(encodeJson(await signKeyless(stranger, release)))).toBeNull();
  expect(signer.open(new TextEncoder().encode('{}'))).toBeNull();
});

test.each([
  ['no token', 'not-a-token', undefined, 'publish/identity-token'],
  ['no services', makeToken(CLAIMS), {}, 'publish/signing-config'],
])('%s is refused, and the token is in no message (X04)', async (_name, token, config, code) => {
  const opened = await openKeylessSigner(files(token, config ?? sigstore.signingConfig(1)));
  expect(opened).toMatchObject({ ok: false, error: { code } });
  expect(JSON.stringify(opened)).not.toContain(token);
});

test('a log of version 2 without a timestamp authority is refused before anything is signed', async () => {
  const config = { ...sigstore.signingConfig(2), tsaUrls: [] };
  const opened = await openKeylessSigner(files(makeToken(CLAIMS), config));
  expect(opened).toMatchObject({ ok: false, error: { code: 'publish/signing-config' } });
});

test('a token whose subject cannot be read is refused without being repeated (X04)', async () => {
  const token = makeToken({ iss: CLAIMS.iss });
  const opened = await openKeylessSigner(files(token));
  expect(opened).toMatchObject({ ok: false, error: { code: 'publish/signing-service' } });
  expect(JSON.stringify(opened)).not.toContain(token.slice(0, 30));
});
