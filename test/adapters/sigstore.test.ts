// The verifier against real bundles: content, the worker that reads them, and trust policies in files.
// The ids are those of the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import { loadTrustPolicy } from '../../src/adapters/sigstore/trust-file.ts';
import { createVerifier } from '../../src/adapters/sigstore/verifier.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeIr } from '../../src/wire/policy/ir.ts';
import { unwrap } from '../support/result.ts';
import {
  cosignHint,
  encodeJson,
  makeBytesWith,
  makeSignedBundle,
  makeStatements,
  signBundle,
} from '../support/signed-bundle.ts';
import { firstCode, second, signer, trust, verdictOf } from '../support/verdicts.ts';
import { IR, makeContext } from '../support/verify.ts';

describe('a good bundle', () => {
  test('is accepted, and its signer is the key that the signature was made with', async () => {
    const { bytes } = await makeSignedBundle(second);
    const evidence = unwrap(collectEvidence(bytes, trust));
    const verdict = judge(evidence, trust, makeContext());
    expect(verdict).toMatchObject({
      kind: 'accepted',
      admission: { signers: [{ id: 'signer-1', fingerprint: second.fingerprint }] },
    });
  });

  test('is accepted with the hint that cosign writes', async () => {
    const statements = makeStatements();
    const bundle = await signBundle(statements.release, signer, { hint: cosignHint(signer) });
    expect(firstCode(encodeJson(bundle), statements)).toBe('accepted');
  });

  test('every one of its bytes matters: a flipped bit anywhere is a refusal', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const parts: [string, Uint8Array, (part: Uint8Array) => BundleBytes][] = [
      ['manifest', bytes.manifest, (manifest) => ({ ...bytes, manifest })],
      ['config', bytes.config, (config) => ({ ...bytes, config })],
      ...bytes.files.map((file, at): (typeof parts)[number] => [
        `file ${at}`,
        file.bytes,
        (part) => ({
          ...bytes,
          files: bytes.files.map((it, index) => (index === at ? { ...it, bytes: part } : it)),
        }),
      ]),
    ];
    for (const [name, part, rebuild] of parts) {
      for (let at = 0; at < part.length; at += Math.max(1, Math.floor(part.length / 25))) {
        const changed = Uint8Array.from(part, (byte, index) => (index === at ? byte ^ 1 : byte));
        expect(verdictOf(rebuild(changed)), `${name} byte ${at}`).not.toEqual([]);
      }
    }
  });
});

describe('content', () => {
  test.each<[string, (bytes: BundleBytes) => BundleBytes, ErrorCode]>([
    [
      'C01 a listed file that is absent',
      (it) => ({ ...it, files: it.files.slice(1) }),
      'verify/content-mismatch',
    ],
    [
      'C01 a file that is present but not listed',
      (it) => {
        const bytes = new TextEncoder().encode('more');
        return { ...it, files: [...it.files, { digest: digestOf(bytes), bytes }] };
      },
      'verify/content-mismatch',
    ],
    [
      'C01 a file whose hash differs',
      (it) => ({ ...it, files: it.files.map((file) => ({ ...file, bytes: Buffer.from('x') })) }),
      'verify/content-mismatch',
    ],
    ['another config', (it) => ({ ...it, config: Buffer.from('{}') }), 'verify/content-mismatch'],
    ['another manifest', (it) => ({ ...it, manifest: Buffer.from('{}') }), 'fetch/digest-mismatch'],
    [
      'a manifest that is no bundle',
      (it) => ({ ...it, manifest: Buffer.from('{}'), digest: digestOf(Buffer.from('{}')) }),
      'fetch/manifest-type',
    ],
  ])('%s is refused', async (_name, spoil, code) => {
    const { bytes } = await makeSignedBundle(signer);
    expect(verdictOf(spoil(bytes))).toEqual([code]);
  });

  test('C01 a manifest that lists other paths than the descriptor is refused', () => {
    const renamed = makeBytesWith(encodeIr(IR), (files) =>
      files.map((it) => ({ ...it, path: `other/${it.path}` })),
    );
    expect(verdictOf(renamed)).toEqual(['verify/content-mismatch']);
    // The same bytes with an honest list are refused only because nobody signed them.
    expect(verdictOf(makeBytesWith(encodeIr(IR)))[0]).toBe('verify/no-attestations');
  });

  test('C03 a compiled policy that Warder would not have made is refused', () => {
    expect(verdictOf(makeBytesWith(encodeJson({ irVersion: 1, rules: [{}] })))).toEqual([
      'policy/ir-invalid',
    ]);
  });

  test('C04 a compiled policy that defines a rule of the baseline is refused', () => {
    const rules = IR.rules.map((it) => ({ ...it, id: 'warder-baseline/canary' }));
    expect(verdictOf(makeBytesWith(encodeIr({ ...IR, rules })))).toEqual([
      'verify/baseline-violation',
    ]);
  });

  test('more attestations than the bound are refused before any is read', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const attestations = Array.from({ length: LIMITS.referrersMax + 1 }, () => Buffer.from('{}'));
    expect(verdictOf({ ...bytes, attestations })).toEqual(['verify/bundle-too-large']);
  });

  test('junk inside the bound does not starve the good ones', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const junk = Array.from({ length: LIMITS.referrersMax - 2 }, () => Buffer.from('junk'));
    expect(verdictOf({ ...bytes, attestations: [...junk, ...bytes.attestations] })).toEqual([]);
  });
});

describe('the worker', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'warder-verifier-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  const workerOf = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return pathToFileURL(join(dir, name));
  };

  test('answers the same evidence as the code in it', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const collected = await createVerifier().collect(bytes, trust);
    expect(collected).toEqual(collectEvidence(bytes, trust));
    expect(collected.ok).toBe(true);
  });

  test('S22 is ended at the deadline when it does not return', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const worker = await workerOf('spin.mjs', 'for (;;);');
    const started = performance.now();
    const collected = await createVerifier({ worker, timeoutMs: 300 }).collect(bytes, trust);
    expect(collected).toMatchObject({ ok: false, error: { code: 'verify/timeout' } });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test.each([
    ['S22 that throws', 'throw new TypeError("x");'],
    ['that ends without an answer', ''],
    ['that exits', 'process.exit(0);'],
    [
      'that fills its memory',
      'const all = []; for (;;) all.push(new Array(1e6).fill(all.length + 0.5));',
    ],
  ])('%s is a refusal', async (_name, text) => {
    const { bytes } = await makeSignedBundle(signer);
    const worker = await workerOf(`${digestOf(Buffer.from(text)).slice(7, 20)}.mjs`, text);
    const collected = await createVerifier({ worker }).collect(bytes, trust);
    expect(collected).toMatchObject({ ok: false, error: { code: 'verify/crashed' } });
  });
});

describe('a worker that is kept', () => {
  let file: URL;
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'warder-verifier-'));
    file = pathToFileURL(join(dir, 'echo.mjs'));
    // Answers which thread it is; what it says of the attestations is what it was sent.
    await writeFile(
      file,
      `import { parentPort, threadId } from 'node:worker_threads';
       parentPort.on('message', ({ bundle, trust }) => {
         if (trust === null) process.exit(0);
         const attestations = bundle.attestations.map((it) => JSON.parse(it));
         parentPort.postMessage({ ok: true, value: { attestations, threadId } });
       });`,
    );
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  const SIGNED = JSON.stringify({ kind: 'signed' });
  const UNUSABLE = JSON.stringify({ kind: 'unusable' });
  const ask = async (
    verifier: ReturnType<typeof createVerifier>,
    attestations: readonly string[],
    by: TrustPolicy | null = trust,
  ) => {
    const bundle = { attestations } as unknown as BundleBytes;
    return (await verifier.collect(bundle, by as TrustPolicy)) as {
      readonly ok: boolean;
      readonly value?: { readonly threadId: number };
    };
  };

  test('reads the next bundle when all it has read was signed', async () => {
    const verifier = createVerifier({ worker: file });
    verifier.warm();
    const first = await ask(verifier, [SIGNED, SIGNED]);
    const second = await ask(verifier, [SIGNED]);
    expect(second.value?.threadId).toBe(first.value?.threadId);
  });

  test('is not asked again after one unusable attestation', async () => {
    const verifier = createVerifier({ worker: file });
    const first = await ask(verifier, [SIGNED, UNUSABLE]);
    const second = await ask(verifier, [SIGNED]);
    expect(second.ok).toBe(true);
    expect(second.value?.threadId).not.toBe(first.value?.threadId);
  });

  test('is replaced when it dies', async () => {
    const verifier = createVerifier({ worker: file });
    await ask(verifier, [SIGNED]);
    const died = await ask(verifier, [SIGNED], null);
    expect(died).toMatchObject({ ok: false, error: { code: 'verify/crashed' } });
    expect((await ask(verifier, [SIGNED])).ok).toBe(true);
  });

  test('two bundles at once have two workers, and one of them is kept', async () => {
    const verifier = createVerifier({ worker: file });
    const both = await Promise.all([ask(verifier, [SIGNED]), ask(verifier, [SIGNED])]);
    const threads = both.map((it) => it.value?.threadId);
    expect(new Set(threads).size).toBe(2);
    expect(threads).toContain((await ask(verifier, [SIGNED])).value?.threadId);
  });
});

describe('a trust policy in files', () => {
  test('is loaded with the keys beside it, and what is missing is named', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'warder-trust-'));
    const file = join(dir, 'trust.yaml');
    const key = { file: 'ci.pub', notBefore: '2026-01-01', notAfter: '2027-01-01' };
    const policy = {
      name: 'prod',
      scope: 'registry.example.com/policies',
      channels: ['prod'],
      require: { release: { minimumMatches: 1, anyOf: [{ id: 'ci', key }] } },
    };
    const document = { apiVersion: 'warder.dev/trust/v1', version: 1, policies: [policy] };
    expect(loadTrustPolicy(file)).toMatchObject({ error: { code: 'trust/unreadable' } });
    await writeFile(file, JSON.stringify(document));
    expect(loadTrustPolicy(file)).toMatchObject({ error: { code: 'trust/unreadable' } });
    await writeFile(join(dir, 'ci.pub'), signer.publicKeyPem);
    const loaded = unwrap(loadTrustPolicy(file));
    const { bytes } = await makeSignedBundle(signer);
    expect(verdictOf(bytes, loaded)).toEqual([]);
    const keys = loaded.policies.flatMap((it) =>
      it.release.anyOf.map((one): Digest => one.fingerprint),
    );
    expect(keys).toEqual([signer.fingerprint]);
    await rm(dir, { recursive: true });
  });
});
