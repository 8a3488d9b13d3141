// What the public conformance suite of sigstore clients asks, asked here of bundles of our own: one row per
// case, by file and by digest. The suite itself is not run, and nothing of it is here. The table in
// docs/sigstore-conformance.md is written from these rows (`vitest run -u`).
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectClientFact } from '../../src/adapters/sigstore/client.ts';
import { verifyClientFiles } from '../../src/adapters/sigstore/client-files.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { type Demand, judgeClient } from '../../src/core/verify/client.ts';
import { digestOf } from '../../src/wire/content.ts';
import { parsePartialRoot } from '../../src/wire/trusted-root.ts';
import { documentOf, run } from '../support/cli.ts';
import { ARTIFACT, ARTIFACT_DIGEST } from '../support/client-bundles.ts';
import { type Asked, type ClientCase, keyed, make } from '../support/client-cases/case.ts';
import { FORMS } from '../support/client-cases/forms.ts';
import { LOGS } from '../support/client-cases/logs.ts';
import { TIMES } from '../support/client-cases/times.ts';
import { ISSUER, SUBJECT } from '../support/keyless.ts';
import { makePaperSigstore, type PaperSigstore } from '../support/paper-sigstore.ts';
import { encodeJson } from '../support/signed-bundle.ts';

const CASES: readonly ClientCase[] = [...FORMS, ...LOGS, ...TIMES];
const IDENTITY: Demand = { kind: 'identity', issuer: ISSUER, subject: SUBJECT };
let world: PaperSigstore;

beforeAll(async () => {
  world = await makePaperSigstore();
});

/** The code of the refusal, or `verified`. */
function verdict(asked: Asked, by: 'file' | 'digest'): ErrorCode | 'verified' {
  const root = parsePartialRoot(encodeJson(asked.root ?? world.root));
  if (!root.ok) return root.error.code;
  const bundle =
    typeof asked.bundle === 'string' ? Buffer.from(asked.bundle) : encodeJson(asked.bundle);
  const file = asked.artifact ?? ARTIFACT;
  const artifact = by === 'file' ? file : digestOf(file);
  const fact = collectClientFact({ bundle, artifact, key: asked.key ?? null, root: root.value });
  if (!fact.ok) return fact.error.code;
  const demand: Demand = asked.key === undefined ? IDENTITY : { kind: 'key' };
  const judged = judgeClient(fact.value, demand, digestOf(file));
  return judged.ok ? 'verified' : judged.error.code;
}

describe('what the public conformance suite asks', () => {
  test.each(CASES)('$name: $odd', async ({ make: makeCase, verdict: expected }) => {
    const asked = await makeCase(world);
    expect(verdict(asked, 'file')).toBe(expected);
    expect(verdict(asked, 'digest')).toBe(expected);
  });

  test('names are told apart, and differences are told', () => {
    expect(new Set(CASES.map((it) => it.name)).size).toBe(CASES.length);
    for (const { name, verdict: ours, theirs } of CASES) {
      if (theirs !== undefined) expect(theirs.accepts, name).toBe(ours !== 'verified');
    }
  });

  test('the table in the documents is this one', async () => {
    const cell = (text: string) => text.replaceAll('|', '\\|');
    const rows = CASES.map(({ name, odd, verdict: ours, theirs }) => {
      const answer = ours === 'verified' ? 'accepted' : `refused: \`${ours}\``;
      const note = theirs === undefined ? 'the same' : `accepts; ${theirs.why}`;
      return `| ${name} | ${cell(odd)} | ${answer} | ${cell(note)} |`;
    });
    const table = ['| case | what is odd | Warder | the suite |', '|---|---|---|---|', ...rows];
    const document = `${HEAD}\n${table.join('\n')}\n`;
    await expect(document).toMatchFileSnapshot('../../docs/sigstore-conformance.md');
  });
});

describe('the command, by the protocol', () => {
  let dir = '';
  const at = (name: string) => join(dir, name);
  const WHO = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', ISSUER];
  const by = keyed();
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'warder-conformance-'));
    await writeFile(at('root.json'), JSON.stringify(world.root));
    await writeFile(at('artifact'), ARTIFACT);
    await writeFile(at('key.pub'), by.pem);
    await writeFile(at('bundle'), JSON.stringify(await make(world)));
    await writeFile(at('keyed'), JSON.stringify(await make(world, { by })));
    // A file whose name has the form of a digest is a file.
    await writeFile(at(`sha256:${'0'.repeat(64)}`), ARTIFACT);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const ROOT = ['--trusted-root', 'root.json'];
  test.each<[string, readonly string[], number]>([
    ['bundle', [...WHO, ...ROOT, 'artifact'], 0],
    ['bundle', [...WHO, ...ROOT, ARTIFACT_DIGEST], 0],
    ['bundle', [...WHO, ...ROOT, `sha256:${'0'.repeat(64)}`], 0],
    ['bundle', [...WHO, ...ROOT, `sha256:${'1'.repeat(64)}`], 12],
    ['bundle', [...WHO, ...ROOT, ARTIFACT_DIGEST.slice(0, -1)], 2],
    ['bundle', [...WHO, ...ROOT, ARTIFACT_DIGEST.toUpperCase()], 2],
    ['keyed', ['--key', 'key.pub', ...ROOT, 'artifact'], 0],
    ['keyed', ['--key', 'key.pub', ...ROOT, ARTIFACT_DIGEST], 0],
    ['keyed', ['--key', 'key.pub', ...WHO, ...ROOT, 'artifact'], 2],
    ['keyed', [...WHO, ...ROOT, 'artifact'], 12],
    ['bundle', ['--key', 'key.pub', ...ROOT, 'artifact'], 12],
  ])('%s %j', async (bundle, words, exit) => {
    const asked = ['sigstore', 'verify-bundle', '--bundle', bundle, ...words, '-o', 'json'];
    const printed = await run(asked, { cwd: dir });
    expect(printed.exit).toBe(exit);
    expect(documentOf(printed)).toMatchObject({ kind: 'BundleVerification', exit });
  });

  test('the default root counts for keys too, where there is one', async () => {
    const files = {
      bundle: at('keyed'),
      key: at('key.pub'),
      artifact: { path: at('artifact'), digest: null },
    };
    const ask = (path: string, isOptional: boolean) =>
      verifyClientFiles({ ...files, trustedRoot: { path: at(path), isOptional } });
    expect(await ask('root.json', true)).toMatchObject({ ok: true });
    const entriesUnvouched = { ok: false, error: { code: 'verify/tlog-invalid' } };
    expect(await ask('absent', true)).toMatchObject(entriesUnvouched);
    const unreadable = { ok: false, error: { code: 'cli/file-unreadable' } };
    expect(await ask('absent', false)).toMatchObject(unreadable);
  });
});

const HEAD = `# What the public conformance suite asks

\`warder sigstore verify-bundle\` follows the command line of the public conformance suite for sigstore clients (rules CLIENT-1 to CLIENT-6 in
[verification.md](verification.md)). The suite has a folder per thing that clients get wrong. This table has at least one case for each of them
as the suite stood in the middle of 2026, and more: **bundles of Warder's own making**, signed, logged and stamped by a private sigstore, each
asked by file and by digest. The suite itself was not run, and no file of it is in this repository: it needs the roots of the public
instances, and its identity.

Written from the rows of \`test/adapters/sigstore-conformance.test.ts\`. The last column says where the suite would have another answer.
What the command line itself must do (a key and an identity together, a digest, a file that is named like a digest) has cases in the same test.
`;
