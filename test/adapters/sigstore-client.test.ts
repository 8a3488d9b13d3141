// `warder sigstore verify-bundle` on bundles of every version, and on what each of them must not be. The
// table runs in process; the command itself, its worker and its exit codes have cases at the end.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClientTask, collectClientFact } from '../../src/adapters/sigstore/client.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { type Demand, judgeClient } from '../../src/core/verify/client.ts';
import { digestOf } from '../../src/wire/content.ts';
import { parsePartialRoot, parseTrustedRoot } from '../../src/wire/trusted-root.ts';
import { documentOf, run } from '../support/cli.ts';
import {
  ARTIFACT,
  ARTIFACT_DIGEST,
  asVersion,
  type ClientEntry,
  type ClientJson,
  signAsClient,
  statementAbout,
} from '../support/client-bundles.ts';
import { ISSUER, SUBJECT } from '../support/keyless.ts';
import { type PrivateSigstore, startSigstore } from '../support/private-sigstore.ts';
import { unwrap } from '../support/result.ts';
import { encodeJson, makeSigner } from '../support/signed-bundle.ts';
import { flipBit } from '../support/verdicts.ts';

const signer = makeSigner();
const IDENTITY: Demand = { kind: 'identity', issuer: ISSUER, subject: SUBJECT };
const KEY: Demand = { kind: 'key' };
const good: Record<'statement' | 'file' | 'statement2' | 'file2' | 'keyed', ClientJson> =
  {} as never;
let sigstore: PrivateSigstore;
let stranger: PrivateSigstore;

beforeAll(async () => {
  [sigstore, stranger] = await Promise.all([startSigstore(), startSigstore()]);
  good.statement = await signAsClient(sigstore, { content: 'statement' });
  good.file = await signAsClient(sigstore, { content: 'file' });
  good.statement2 = await signAsClient(sigstore, { content: 'statement', rekor: 2 });
  good.file2 = await signAsClient(sigstore, { content: 'file', rekor: 2 });
  good.keyed = await signAsClient(sigstore, { content: 'file', by: signer });
});
afterAll(async () => {
  await Promise.all([sigstore.stop(), stranger.stop()]);
});

interface Asked {
  readonly demand?: Demand;
  readonly artifact?: ClientTask['artifact'];
  readonly root?: ClientTask['root'];
  readonly key?: string | null;
}

/** The code of the refusal, or `verified`. */
function verdict(bundle: unknown, asked: Asked = {}): ErrorCode | 'verified' {
  const { demand = IDENTITY, artifact = ARTIFACT, root = sigstore.root, key = null } = asked;
  const fact = collectClientFact({ bundle: encodeJson(bundle), artifact, key, root });
  if (!fact.ok) return fact.error.code;
  const digest = typeof artifact === 'string' ? artifact : digestOf(artifact);
  const judged = judgeClient(fact.value, demand, digest);
  return judged.ok ? 'verified' : judged.error.code;
}

const byKey: Asked = { demand: KEY, key: signer.publicKeyPem };
const spoil = (bundle: ClientJson, change: (it: ClientJson) => void): ClientJson => {
  const copy = structuredClone(bundle);
  change(copy);
  return copy;
};
const entry = (change: (it: ClientEntry) => void) => (bundle: ClientJson) => {
  const [first] = bundle.verificationMaterial.tlogEntries;
  if (first === undefined) throw new Error('no log entry');
  change(first);
};

describe('a good bundle is verified', () => {
  const CONTENTS = ['statement', 'file', 'statement2', 'file2'] as const;
  test.each(CONTENTS)('of version 0.3 (%s)', (name) => {
    expect(verdict(good[name])).toBe('verified');
    expect(verdict(asVersion(good[name], '0.3'))).toBe('verified');
  });
  test.each(CONTENTS)('of version 0.2 (%s)', (name) => {
    expect(verdict(asVersion(good[name], '0.2'))).toBe('verified');
  });
  test.each(['statement', 'file'] as const)('of version 0.1 (%s)', (name) => {
    expect(verdict(asVersion(good[name], '0.1'))).toBe('verified');
  });
  test('under a key, in a log or alone', async () => {
    expect(verdict(good.keyed, byKey)).toBe('verified');
    const alone = await signAsClient(sigstore, { content: 'file', by: signer, witnesses: [] });
    const demand: Demand = { kind: 'key' };
    expect(verdict(alone, { ...byKey, root: null, demand })).toBe('verified');
  });
  test('under a key, with a root that lists nothing, or logs alone', async () => {
    const { mediaType, tlogs } = sigstore.rootJson;
    const empty = unwrap(parsePartialRoot(encodeJson({ mediaType })));
    const logs = unwrap(parsePartialRoot(encodeJson({ mediaType, tlogs })));
    const alone = await signAsClient(sigstore, { content: 'file', by: signer, witnesses: [] });
    const logged = await signAsClient(sigstore, {
      content: 'file',
      by: signer,
      witnesses: ['log'],
    });
    expect(verdict(alone, { ...byKey, root: empty })).toBe('verified');
    expect(verdict(alone, { ...byKey, root: logs })).toBe('verify/tlog-invalid');
    expect(verdict(logged, { ...byKey, root: logs })).toBe('verified');
    expect(verdict(logged, { ...byKey, root: empty })).toBe('verify/tlog-invalid');
    expect(verdict(good.file, { root: empty })).toMatch(/^verify\//);
    expect(verdict(good.file, { root: logs })).toMatch(/^verify\//);
    const [log] = structuredClone(tlogs);
    if (log !== undefined) delete log.publicKey.validFor.start;
    const endless = parsePartialRoot(encodeJson({ mediaType, tlogs: [log] }));
    expect(endless).toMatchObject({ ok: false, error: { code: 'trust/root-invalid' } });
  });
  test('about a digest, when it is a statement', () => {
    expect(verdict(good.statement, { artifact: ARTIFACT_DIGEST as Digest })).toBe('verified');
  });
  test('with a statement of the version before', async () => {
    const statement = statementAbout(ARTIFACT_DIGEST, 'https://in-toto.io/Statement/v0.1');
    const old = await signAsClient(sigstore, { content: 'statement', statement });
    expect(verdict(old)).toBe('verified');
  });
});

describe('who signed and what', () => {
  test.each<[string, Demand, ErrorCode]>([
    ['another name', { ...IDENTITY, subject: `${SUBJECT}0` }, 'verify/identity-mismatch'],
    ['a part of the name', { ...IDENTITY, subject: SUBJECT.slice(0, -1) }, MISMATCH()],
    ['a wildcard', { ...IDENTITY, subject: `${SUBJECT.slice(0, -1)}*` }, MISMATCH()],
    ['another issuer', { ...IDENTITY, issuer: `${ISSUER}/` }, MISMATCH()],
  ])('%s is refused', (_name, demand, code) => {
    expect(verdict(good.statement, { demand })).toBe(code);
    expect(verdict(good.file, { demand })).toBe(code);
  });

  test('a key where an identity is demanded is refused, and the reverse', () => {
    expect(verdict(good.keyed)).toBe('verify/identity-required');
    expect(verdict(good.file, byKey)).toBe('verify/identity-required');
  });

  test('another key is refused', () => {
    const key = makeSigner().publicKeyPem;
    expect(verdict(good.keyed, { demand: KEY, key })).toBe('verify/signature-invalid');
    const bare = spoil(good.keyed, (it) => {
      it.verificationMaterial.tlogEntries = [];
    });
    expect(verdict(bare, { demand: KEY, key })).toBe('verify/signature-invalid');
  });

  test('another artifact is refused, as a file and as a digest', () => {
    const artifact = Buffer.from('something else');
    for (const it of [good.statement, good.file, good.statement2, good.file2]) {
      expect(verdict(it, { artifact })).toBe('verify/subject-mismatch');
    }
    const digest = digestOf(artifact);
    expect(verdict(good.statement, { artifact: digest })).toBe('verify/subject-mismatch');
  });

  test('a signed file is verified by its digest too', () => {
    const artifact = ARTIFACT_DIGEST as Digest;
    for (const it of [good.file, good.file2]) expect(verdict(it, { artifact })).toBe('verified');
    expect(verdict(good.keyed, { ...byKey, artifact })).toBe('verified');
    const key = makeSigner().publicKeyPem;
    const other = verdict(good.keyed, { ...byKey, key, artifact });
    expect(other).toBe('verify/signature-invalid');
    const wrong = digestOf(Buffer.from('something else'));
    expect(verdict(good.file, { artifact: wrong })).toBe('verify/subject-mismatch');
  });

  test('a digest in the bundle that is not of the file is refused', () => {
    const lying = spoil(good.file, (it) => {
      const { messageDigest } = it.messageSignature ?? never();
      messageDigest.digest = flipBit(messageDigest.digest, 3);
    });
    expect(verdict(lying)).toBe('verify/subject-mismatch');
  });

  test.each(['https://in-toto.io/Statement/v9', undefined])('the type %s is refused', async (t) => {
    const statement = { ...statementAbout(ARTIFACT_DIGEST), _type: t };
    const odd = await signAsClient(sigstore, { content: 'statement', statement });
    expect(verdict(odd)).toBe('verify/statement-type');
  });
});

describe('what vouches for it', () => {
  const both = (change: (it: ClientJson) => void, asked: Asked = {}) =>
    (['statement', 'file', 'statement2', 'file2'] as const).map((name) =>
      verdict(spoil(good[name], change), asked),
    );
  const all = (code: ErrorCode) => [code, code, code, code];

  test('a log entry that was altered is refused', () => {
    const changed = entry((it) => {
      it.canonicalizedBody = flipBit(it.canonicalizedBody, 40);
    });
    expect(both(changed)).toEqual(all('verify/tlog-invalid'));
  });

  test('no log entry is too few; with a key too, once a root is named', () => {
    const none = (it: ClientJson) => {
      it.verificationMaterial.tlogEntries = [];
    };
    expect(both(none)).toEqual(all('verify/tlog-invalid'));
    expect(verdict(spoil(good.keyed, none), byKey)).toBe('verify/tlog-invalid');
  });

  test('neither promise nor proof is refused in every version', () => {
    const neither = entry((it) => {
      delete it.inclusionPromise;
      delete it.inclusionProof;
    });
    expect(both(neither)).toEqual(all('verify/bundle-invalid'));
    for (const version of ['0.1', '0.2', '0.3'] as const) {
      const old = spoil(asVersion(good.file, version), neither);
      expect(verdict(old), version).toBe('verify/bundle-invalid');
    }
  });

  test('a promise alone is enough in version 0.1 only', () => {
    const promised = entry((it) => {
      delete it.inclusionProof;
    });
    expect(verdict(spoil(good.file, promised))).toBe('verify/bundle-invalid');
    expect(verdict(spoil(asVersion(good.file, '0.2'), promised))).toBe('verify/bundle-invalid');
    const unsigned = entry((it) => {
      it.inclusionPromise = { signedEntryTimestamp: Buffer.alloc(70, 1).toString('base64') };
    });
    expect(verdict(spoil(asVersion(good.file, '0.1'), unsigned))).toBe('verify/tlog-invalid');
  });

  test('a proof of another tree is refused', () => {
    const other = entry((it) => {
      const proof = it.inclusionProof ?? never();
      proof.rootHash = flipBit(proof.rootHash, 3);
    });
    expect(both(other)).toEqual(all('verify/tlog-invalid'));
  });

  test('nothing that says when is refused', async () => {
    for (const content of ['statement', 'file'] as const) {
      const witnesses = ['log'] as const;
      const untimed = await signAsClient(sigstore, { content, rekor: 2, witnesses });
      expect(verdict(untimed)).toBe('verify/timestamp-missing');
    }
  });

  test('S10 a certificate that had expired when it signed is refused', async () => {
    const clock = new Date(Math.floor(Date.now() / 1000) * 1000);
    const aged = await startSigstore(clock);
    try {
      const inTime = await signAsClient(aged, { content: 'file' });
      expect(verdict(inTime, { root: aged.root })).toBe('verified');
      const meanwhile = () => void clock.setTime(clock.getTime() + 3_600_000);
      const late = await signAsClient(aged, { content: 'file', meanwhile });
      expect(verdict(late, { root: aged.root })).toBe('verify/certificate-time');
    } finally {
      await aged.stop();
    }
  });

  test('another root vouches for nothing of it', () => {
    const codes = both(() => undefined, { root: stranger.root });
    for (const code of codes) expect(code).toMatch(/^verify\/(certificate|timestamp|tlog)-/);
    expect(verdict(good.file, { root: null })).toBe('verify/identity-required');
    const demand: Demand = { kind: 'key' };
    expect(verdict(good.keyed, { ...byKey, root: null, demand })).toBe('verify/tlog-invalid');
  });

  test('a log whose key was not in use yet is refused', () => {
    const late = structuredClone(sigstore.rootJson);
    for (const log of late.tlogs) log.publicKey.validFor.start = '2100-01-01T00:00:00Z';
    const parsed = parseTrustedRoot(encodeJson(late));
    if (!parsed.ok) throw new Error('the root is refused');
    expect(both(() => undefined, { root: parsed.value })).toEqual(all('verify/tlog-invalid'));
  });

  test('a signature that was altered is refused', () => {
    const flipped = spoil(good.file, (it) => {
      const message = it.messageSignature ?? never();
      message.signature = flipBit(message.signature, 20);
    });
    expect(verdict(flipped)).toMatch(/^verify\/(timestamp|tlog|signature)-invalid$/);
  });
});

describe('the form', () => {
  test.each<[string, (it: ClientJson) => unknown, ErrorCode]>([
    ['an unknown version', (it) => ({ ...it, mediaType: OLD('0.9') }), 'verify/bundle-version'],
    ['a suffix', (it) => ({ ...it, mediaType: `${OLD('0.1')};x` }), 'verify/bundle-version'],
    ['no version', ({ mediaType: _, ...it }) => it, 'verify/bundle-version'],
    ['a field that nobody knows', (it) => ({ ...it, extra: 1 }), 'verify/bundle-invalid'],
    ['a chain in version 0.3', (it) => inVersion(asVersion(it, '0.2')), 'verify/bundle-invalid'],
    ['file and statement', (it) => ({ ...good.statement, ...it, ...both() }), INVALID()],
    ['neither', ({ messageSignature: _, ...it }) => it, 'verify/bundle-invalid'],
    [
      'a chain of 1,000',
      (it) => {
        const chain = asVersion(it, '0.2');
        const { x509CertificateChain: of } = chain.verificationMaterial;
        const [leaf] = of?.certificates ?? [];
        if (of !== undefined && leaf !== undefined) of.certificates = Array(1000).fill(leaf);
        return chain;
      },
      'verify/bundle-invalid',
    ],
  ])('%s is refused', (_name, change, code) => {
    expect(verdict(change(structuredClone(good.file)))).toBe(code);
  });

  const both = () => ({ dsseEnvelope: good.statement.dsseEnvelope });
});

describe('the command', () => {
  let dir = '';
  const at = (name: string) => join(dir, name);
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'warder-client-'));
    await writeFile(at('root.json'), JSON.stringify(sigstore.rootJson));
    await writeFile(at('artifact'), ARTIFACT);
    await writeFile(at('key.pub'), signer.publicKeyPem);
    for (const [name, it] of Object.entries(good)) await writeFile(at(name), JSON.stringify(it));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const WHO = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', ISSUER];
  const ask = (bundle: string, ...words: readonly string[]) =>
    run(['sigstore', 'verify-bundle', '--bundle', bundle, ...words, '-o', 'json'], { cwd: dir });

  test.each<[string, readonly string[], number]>([
    ['file', [...WHO, '--trusted-root', 'root.json', 'artifact'], 0],
    ['statement2', [...WHO, '--trusted-root', 'root.json', ARTIFACT_DIGEST], 0],
    ['keyed', ['--key', 'key.pub', '--trusted-root', 'root.json', 'artifact'], 0],
    ['file', [...WHO, '--trusted-root', 'root.json', 'root.json'], 12],
    ['file', [...WHO, '--trusted-root', 'artifact', 'artifact'], 2],
    ['file', [...WHO, '--trusted-root', 'root.json', `sha256:${'0'.repeat(64)}`], 12],
    ['file', [...WHO, '--trusted-root', 'root.json', ARTIFACT_DIGEST], 0],
    ['keyed', ['--key', 'key.pub', '--trusted-root', 'root.json', ARTIFACT_DIGEST], 0],
    ['gone', [...WHO, '--trusted-root', 'root.json', 'artifact'], 2],
    ['file', ['artifact'], 2],
    ['file', [...WHO, '--key', 'key.pub', 'artifact'], 2],
    ['file', ['--certificate-identity', SUBJECT, 'artifact'], 2],
    ['file', ['--certificate-identity', '', '--certificate-oidc-issuer', '', 'artifact'], 2],
  ])('ends as it should: %s %j', async (bundle, words, exit) => {
    const printed = await ask(bundle, ...words);
    expect(printed.exit).toBe(exit);
    expect(documentOf(printed)).toMatchObject({ kind: 'BundleVerification', exit });
  });
});

function OLD(version: string): string {
  return `application/vnd.dev.sigstore.bundle+json;version=${version}`;
}

function inVersion(bundle: ClientJson): ClientJson {
  return { ...bundle, mediaType: OLD('0.3') };
}

function MISMATCH(): ErrorCode {
  return 'verify/identity-mismatch';
}

function INVALID(): ErrorCode {
  return 'verify/bundle-invalid';
}

function never(): never {
  throw new Error('the bundle has no such part');
}
