// The worker as one packed file, away from node_modules: what a packaged Warder starts.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import { createVerifier } from '../../src/adapters/sigstore/verifier.ts';
import { makeSignedBundle } from '../support/signed-bundle.ts';
import { signer, trust } from '../support/verdicts.ts';

const ENTRY = join(import.meta.dirname, '../../src/adapters/sigstore/collect.worker.ts');
// Packages in the CommonJS form ask for Node's own modules with require.
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

test.each([
  ['mjs', { format: 'esm', banner: { js: REQUIRE } }],
  ['cjs', { format: 'cjs' }],
] as const)('the worker answers the same from one packed .%s file', async (extension, options) => {
  const dir = await mkdtemp(join(tmpdir(), 'warder-packed-'));
  const outfile = join(dir, `collect.worker.${extension}`);
  await build({ entryPoints: [ENTRY], outfile, bundle: true, platform: 'node', ...options });
  const { bytes } = await makeSignedBundle(signer);
  const collected = await createVerifier({ worker: pathToFileURL(outfile) }).collect(bytes, trust);
  expect(collected).toEqual(collectEvidence(bytes, trust));
  expect(collected.ok).toBe(true);
  await rm(dir, { recursive: true });
});
