// File keys: what is written, what is refused, and that a signature opens only for its own key.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileSigner } from '../../src/adapters/sigstore/signer.ts';
import { generateKey, readPassphrase } from '../../src/adapters/sigstore/signing-key.ts';
import { unwrap } from '../support/result.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-key-'));
});
afterEach(() => rm(dir, { recursive: true }));

const codeOf = async (path: string, passphrase: string) => {
  const signer = await createFileSigner(path, passphrase);
  return signer.ok ? 'opened' : signer.error.code;
};
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a key file', () => {
  it('is encrypted, readable by its owner only, and never overwritten', async () => {
    const path = join(dir, 'key.pem');
    const made = unwrap(await generateKey(path, 'passphrase'));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    expect(await readFile(`${path}.pub`, 'utf8')).toBe(made.publicKeyPem);
    const again = await generateKey(path, 'passphrase');
    expect(again).toMatchObject({ ok: false, error: { code: 'publish/key-exists' } });
    expect(unwrap(await createFileSigner(path, 'passphrase')).signedBy).toBe(made.fingerprint);
  });

  it('S24 of another kind, without encryption or with another passphrase is refused', async () => {
    const path = join(dir, 'key.pem');
    unwrap(await generateKey(path, 'passphrase'));
    expect(await codeOf(path, 'other')).toBe('publish/key-passphrase');
    expect(await codeOf(join(dir, 'missing'), 'x')).toBe('publish/key-unreadable');
    const cipher = { cipher: 'aes-256-cbc', passphrase: 'x' };
    const format = { type: 'pkcs8', format: 'pem' } as const;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    const ed25519 = generateKeyPairSync('ed25519').privateKey;
    const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const files = {
      p384: p384.export({ ...format, ...cipher }),
      ed25519: ed25519.export({ ...format, ...cipher }),
      plain: p256.export(format),
      junk: 'junk',
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(dir, name), text);
      expect([name, await codeOf(join(dir, name), 'x')]).toEqual([name, 'publish/key-unreadable']);
    }
  });
});

describe('a passphrase', () => {
  it('comes from a file without its line end, or from the variable that was named', async () => {
    const path = join(dir, 'passphrase');
    await writeFile(path, 'secret words\n');
    const file = await readPassphrase({ kind: 'file', path }, {});
    expect(unwrap(file)).toBe('secret words');
    const variable = { kind: 'variable', name: 'PASS' } as const;
    expect(unwrap(await readPassphrase(variable, { PASS: 'x' }))).toBe('x');
    for (const missing of [
      await readPassphrase(variable, {}),
      await readPassphrase(variable, { PASS: '' }),
      await readPassphrase({ kind: 'file', path: join(dir, 'none') }, {}),
    ]) {
      expect(missing).toMatchObject({ ok: false, error: { code: 'publish/key-passphrase' } });
    }
  });
});

describe('an attestation', () => {
  it('opens for its own key to the statement that was signed, and for nobody else', async () => {
    unwrap(await generateKey(join(dir, 'a'), 'x'));
    unwrap(await generateKey(join(dir, 'b'), 'x'));
    const ours = unwrap(await createFileSigner(join(dir, 'a'), 'x'));
    const theirs = unwrap(await createFileSigner(join(dir, 'b'), 'x'));
    const statement = bytes('{"_type":"x"}');
    const attestation = unwrap(await ours.sign(statement));
    expect(ours.open(attestation)).toEqual(statement);
    expect(theirs.open(attestation)).toBeNull();
    const json = JSON.parse(new TextDecoder().decode(attestation));
    json.dsseEnvelope.payload = Buffer.from('{"_type":"y"}').toString('base64');
    expect(ours.open(bytes(JSON.stringify(json)))).toBeNull();
    for (const junk of ['', '{}', 'null', '[]', '{"dsseEnvelope":1}']) {
      expect(ours.open(bytes(junk))).toBeNull();
    }
  });
});
