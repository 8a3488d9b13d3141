// SPDX-License-Identifier: Apache-2.0
// The verifier of the command line: the same evidence as the worker, ended at the deadline wherever it is,
// and no large input in this process.

import { describe, expect, test } from 'vitest';
import { collectEvidence, collectStatements } from '../../src/adapters/sigstore/collect.ts';
import { createOnceVerifier } from '../../src/adapters/sigstore/once.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { err, failure, ok } from '../../src/core/result.ts';
import type { Evidence } from '../../src/core/verify/evidence.ts';
import { encodeJson, makeSignedBundle } from '../support/signed-bundle.ts';
import { signer, trust } from '../support/verdicts.ts';

describe('a verification in this process', () => {
  test('answers what the code in it says, of bundles and of statements', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const verifier = createOnceVerifier();
    const collected = await verifier.collect(bytes, trust);
    expect(collected.ok).toBe(true);
    expect(collected).toEqual(collectEvidence(bytes, trust));
    const read = await verifier.read(bytes.attestations, trust);
    expect(read).toEqual(collectStatements(bytes.attestations, trust));
  });

  test.each([
    ['a loop', () => forever()],
    ['an expression that backtracks', () => void /^(a+)+$/.test(`${'a'.repeat(60)}b`)],
    ['a loop that swallows what is thrown', () => swallow()],
  ])('S22 is ended at the deadline: %s', async (_name, work) => {
    const { bytes } = await makeSignedBundle(signer);
    const collect = () => {
      work();
      return ok({} as Evidence);
    };
    const verifier = createOnceVerifier({ timeoutMs: 100, collect });
    const started = performance.now();
    expect(await verifier.collect(bytes, trust)).toMatchObject({
      ok: false,
      error: { code: 'verify/timeout' },
    });
    expect(performance.now() - started).toBeLessThan(10_000);
    // Half of a computation may be left behind: nothing is verified on top of it.
    expect(await verifier.read(bytes.attestations, trust)).toMatchObject({
      ok: false,
      error: { code: 'verify/timeout' },
    });
  });

  test('S22 that throws is a refusal, and what was refused stays what it is', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const thrower = createOnceVerifier({
      collect: () => {
        throw new TypeError('x');
      },
    });
    const refusal = err(failure('fetch/digest-mismatch', 'another one'));
    const refuser = createOnceVerifier({ collect: () => refusal });
    expect(await thrower.collect(bytes, trust)).toMatchObject({
      error: { code: 'verify/crashed' },
    });
    expect(await refuser.collect(bytes, trust)).toEqual(refusal);
  });

  test('larger input is read by a worker, never here', async () => {
    const { bytes } = await makeSignedBundle(signer);
    const junk = encodeJson('x'.repeat(LIMITS.attestationBytesMax - 100));
    const large = { ...bytes, attestations: [...bytes.attestations, junk, junk] };
    const verifier = createOnceVerifier({ collect: () => err(failure('cli/internal', 'here')) });
    const collected = await verifier.collect(large, trust);
    expect(collected).toEqual(collectEvidence(large, trust));
    expect(collected.ok).toBe(true);
  });
});

function forever(): void {
  for (;;);
}

function swallow(): void {
  for (;;) {
    try {
      forever();
    } catch {
      // What ends a script is not thrown.
    }
  }
}
