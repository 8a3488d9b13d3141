// Decision records of the enforcer: one per decision, with everything that it was made from, repeatable
// offline with the same code, bounded under a flood, and a byte that changed is found.
//
// SPDX-License-Identifier: Apache-2.0

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRecords } from '../../src/adapters/disk/records.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { RecordBytes, RecordLine } from '../../src/core/decision/record.ts';
import type { Digest } from '../../src/core/digest.ts';
import { LIMITS } from '../../src/core/limits.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { parseRecord } from '../../src/wire/decision-record.ts';
import { documentOf, run } from '../support/cli.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { encodeJson, makeSigner, signBundle, trustIn } from '../support/signed-bundle.ts';
import { encodeVsa } from '../support/summaries.ts';
import { rootsOf, sealed, signTrust } from '../support/trust.ts';
import { makeTrustedKey, makeVerification, NOW_MS, VERIFIER } from '../support/verify.ts';

const ci = makeSigner();
const clockwork = makeSigner();
const stranger = makeSigner();
const verifier = makeSigner();
const root = makeSigner();
const ROOTS = rootsOf(1, root);
const TRUST = sealed({ ...trustIn(ci), version: 4, roots: ROOTS });
const WITH_HEADS = sealed({ ...trustWithHeads(ci, clockwork), roots: ROOTS });
const rules = [ruleFor('a/one', '/etc/hostname')];
let v5: BundleBytes;
let v6: BundleBytes;
let forged: BundleBytes;
const hosts: TestHost[] = [];
const folders: string[] = [];

beforeAll(async () => {
  v5 = await makeBundle(ci, 5, rules);
  v6 = await makeBundle(ci, 6, rules);
  forged = await makeBundle(stranger, 7, rules);
});
afterEach(() => {
  for (const host of hosts.splice(0)) host.remove();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newHost(trust = TRUST): TestHost {
  const host = new TestHost(trust);
  hosts.push(host);
  return host;
}

async function lines(enforcer: Enforcer): Promise<readonly RecordLine[]> {
  return expectOk(await enforcer.records(100));
}

async function newest(enforcer: Enforcer): Promise<RecordLine> {
  const found = (await lines(enforcer)).at(-1);
  if (found === undefined) throw new Error('nothing was recorded');
  return found;
}

async function read(enforcer: Enforcer, id: Digest) {
  const bytes = expectOk(await enforcer.record(id));
  if (bytes === null) throw new Error('there is no such record');
  return { bytes, record: expectOk(parseRecord(bytes.record, id)) };
}

const over = (enforcer: Enforcer) => ({ services: { enforcer: () => enforcer } });

/** Exports the newest decision by the command line; answers the folder. */
async function exported(enforcer: Enforcer): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'warder-evidence-'));
  folders.push(parent);
  const dir = join(parent, 'evidence');
  const done = await run(['evidence', 'export', 'last', '--to', dir], over(enforcer));
  expect(done).toMatchObject({ exit: 0, stderr: '' });
  return dir;
}

async function repeat(dir: string): Promise<Record<string, unknown>> {
  const printed = await run(['verify', '--evidence', dir, '-o', 'json']);
  return { ...documentOf(printed), exit: printed.exit };
}

describe('a decision record', () => {
  it('of an admission names every check of the order, its inputs and what it went by', async () => {
    const enforcer = await newHost(WITH_HEADS).start();
    const head = headOf(v5, 5, NOW_MS - HOUR_MS);
    expectOk(await enforcer.head(await signHead(head, clockwork)));
    await enforce(enforcer, v5);
    const line = await newest(enforcer);
    expect(line).toMatchObject({ kind: 'bundle', by: 'enforcer', outcome: 'accepted' });
    expect(expectOk(await enforcer.status()).record).toBe(line.id);
    const { record, bytes } = await read(enforcer, line.id);
    expect(record.checks.map((it) => `${it.check} ${it.outcome}`)).toEqual([
      ...['state passed', 'clock passed', 'content passed'],
      ...['attestation passed', 'attestation passed'],
      ...['scope-policy passed', 'revocation passed', 'release passed', 'provenance passed'],
      ...['place passed', 'not-before passed', 'expires passed', 'version passed', 'head passed'],
      ...['agent-version passed', 'host passed', 'baseline passed', 'survival passed'],
      'hold passed',
    ]);
    expect(record.checks.find((it) => it.check === 'version')?.inputs).toMatchObject({
      version: 5,
      floor: null,
    });
    expect(record.checks.find((it) => it.check === 'release')?.durationMs).toBeGreaterThanOrEqual(
      0,
    );
    expect(record.trust).toMatchObject({ version: WITH_HEADS.version, root: null });
    expect(record.trust.fingerprint).toBe(WITH_HEADS.fingerprint);
    expect(record.input.subject).toBe(v5.digest);
    // Manifest, config, files, attestations, trust policy.
    expect(bytes.blobs.length).toBe(3 + v5.files.length + v5.attestations.length);
  });

  it('is written for every refusal, also of heads and of trust policies', async () => {
    const host = newHost(WITH_HEADS);
    const enforcer = await host.start();
    await enforcer.activate(v5);
    await enforcer.head(await signHead(headOf(v5, 5, NOW_MS - 48 * HOUR_MS), clockwork));
    expectOk(await enforcer.head(await signHead(headOf(v6, 6, NOW_MS - HOUR_MS), clockwork)));
    await enforcer.activate(forged);
    await enforcer.trust(await signTrust({ ...WITH_HEADS, version: 9 }, root), false);
    host.clock.now = NOW_MS - 48 * HOUR_MS;
    await enforcer.activate(v6);
    const found = await lines(enforcer);
    expect(found.map((it) => `${it.kind} ${it.outcome} ${it.code}`).sort()).toEqual([
      'bundle refused host/clock-suspect',
      'bundle refused verify/head-missing',
      'bundle refused verify/key-unknown',
      'head accepted null',
      'head refused verify/stale-head',
      'trust refused trust/version-gap',
    ]);
    const late = found.find((it) => it.code === 'host/clock-suspect');
    const { record } = await read(enforcer, late?.id as Digest);
    const notRun = record.checks.filter((it) => it.outcome === 'not-run').length;
    expect(notRun).toBe(15);
  });

  it('must be on the disk before the floor rises: without it nothing is admitted', async () => {
    const host = newHost();
    mkdirSync(join(host.dir, 'records.db'));
    const enforcer = await host.start();
    expect(await enforcer.activate(v5)).toMatchObject({ error: { code: 'record/write-failed' } });
    expect(expectOk(await enforcer.status()).highestSeen).toBeNull();
    // A refusal is one without its record, too.
    expect(await enforcer.activate(forged)).toMatchObject({
      error: { code: 'verify/key-unknown' },
    });
    rmdirSync(join(host.dir, 'records.db'));
    await enforce(await host.start(), v5);
  });

  it('that was damaged with its database is set aside, and new ones are written', async () => {
    const host = newHost();
    await enforce(await host.start(), v5);
    host.stop();
    writeFileSync(
      join(host.dir, 'records.db'),
      'not a database at all, and long enough to be read',
    );
    for (const end of ['-wal', '-shm']) rmSync(join(host.dir, `records.db${end}`), { force: true });
    const enforcer = await host.start();
    expect(expectOk(await enforcer.status()).enforced).toMatchObject({ kind: 'bundle' });
    expect(await lines(enforcer)).toEqual([]);
    await enforce(enforcer, v6);
    expect(await lines(enforcer)).toHaveLength(1);
  });
});

describe('a decision, repeated offline', () => {
  it('comes out the same: an admission, a refusal, a head, a change of trust', async () => {
    const host = newHost(WITH_HEADS);
    const enforcer = await host.start();
    const outcomes: string[] = [];
    const again = async () => {
      const result = await repeat(await exported(enforcer));
      outcomes.push(`${result['kind']} ${result['outcome']} ${result['comparison']}`);
      expect(result['exit']).toBe(0);
    };
    expectOk(await enforcer.head(await signHead(headOf(v5, 5, NOW_MS - HOUR_MS), clockwork)));
    await again();
    await enforce(enforcer, v5);
    await again();
    host.clock.advance(1);
    await enforcer.activate(forged);
    await again();
    host.clock.advance(1);
    // It distrusts v5: the record holds the bundle that it was asked about.
    const next = { ...trustWithHeads(stranger, clockwork), version: 5, roots: ROOTS };
    await enforcer.trust(await signTrust(next, root), false);
    expect(await newest(enforcer)).toMatchObject({ code: 'trust/would-distrust' });
    await again();
    host.clock.advance(1);
    expectOk(await enforcer.trust(await signTrust(next, root), true));
    await again();
    host.clock.advance(1);
    // Judged again under the new policy: kept, and told.
    expect(await lines(enforcer)).toContainEqual(
      expect.objectContaining({ subject: v5.digest, code: 'verify/key-unknown' }),
    );
    expect(outcomes).toEqual([
      'Repetition accepted same',
      'Repetition accepted same',
      'Repetition refused same',
      'Repetition refused same',
      'Repetition refused same',
    ]);
  });

  it('comes out the same where a verifier is asked, and differs under another verdict', async () => {
    const verification = makeVerification({
      anyOf: [makeTrustedKey('verifier', verifier.fingerprint, verifier.publicKeyPem)],
    });
    const policies = TRUST.policies.map((it) => ({ ...it, verification }));
    const enforcer = await newHost(sealed({ ...TRUST, policies })).start();
    expect(await enforcer.activate(v5)).toMatchObject({ error: { code: 'verify/vsa-missing' } });
    expect(await repeat(await exported(enforcer))).toMatchObject({ exit: 0, comparison: 'same' });
    const summary = encodeJson(await signBundle(encodeVsa(v5.digest), verifier));
    await enforce(enforcer, { ...v5, attestations: [...v5.attestations, summary] });
    const { record, bytes } = await read(enforcer, (await newest(enforcer)).id);
    expect(record.checks.find((it) => it.check === 'verification')).toMatchObject({
      outcome: 'passed',
      inputs: { verifier: VERIFIER, attestations: 3 },
    });
    expect(await repeat(await exported(enforcer))).toMatchObject({ exit: 0, comparison: 'same' });
    // As if the clock had been a week later then: the summary would have been too old.
    if (record.question.kind !== 'bundle') throw new Error('another decision');
    const context = { ...record.question.context, nowMs: NOW_MS + 7 * 24 * HOUR_MS };
    const lie = { ...record, question: { ...record.question, context } };
    const found = await repeat(await written(lie, bytes));
    const differences = found['differences'] as readonly { readonly check: string }[];
    expect(differences.map((it) => it.check)).toContain('verification');
  });

  it('finds every byte that was changed in what is kept', async () => {
    const enforcer = await newHost().start();
    await enforce(enforcer, v5);
    const dir = await exported(enforcer);
    const shelf = join(dir, 'blobs', 'sha256');
    const files = ['id', 'record.json', ...readdirSync(shelf).map((it) => `blobs/sha256/${it}`)];
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) {
      const path = join(dir, file);
      const kept = readFileSync(path);
      const changed = Buffer.from(kept);
      const at = Math.floor(changed.length / 2);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      const found = await repeat(dir);
      expect([file, found['exit'], found['errors']]).toMatchObject([
        file,
        19,
        [{ code: 'state/evidence-damaged' }],
      ]);
      writeFileSync(path, kept);
    }
    rmSync(join(shelf, readdirSync(shelf)[0] ?? ''));
    expect(await repeat(dir)).toMatchObject({
      exit: 19,
      errors: [{ code: 'state/evidence-incomplete' }],
    });
  });

  it('tells which check differs when somebody rewrote the record and its id', async () => {
    const host = newHost();
    const enforcer = await host.start();
    await enforce(enforcer, v6);
    host.clock.advance(1);
    await enforcer.activate(v5);
    const line = await newest(enforcer);
    expect(line.code).toBe('verify/rollback');
    const { record, bytes } = await read(enforcer, line.id);
    if (record.question.kind !== 'bundle') throw new Error('another decision');
    // As if the floor had been lower then: the recorded refusal would have been none.
    const context = { ...record.question.context, floor: null };
    const lie = { ...record, question: { ...record.question, context } };
    const dir = await written(lie, bytes);
    const found = await repeat(dir);
    expect(found).toMatchObject({ exit: 12, errors: [{ code: 'verify/decision-differs' }] });
    const differences = found['differences'] as readonly { readonly check: string }[];
    expect(differences.map((it) => it.check)).toEqual([
      'version',
      'survival',
      'hold',
      'outcome',
      'reasons',
    ]);
  });
});

async function written(record: object, { blobs }: RecordBytes): Promise<string> {
  const { toCanonicalJson } = await import('../../src/wire/canonical-json.ts');
  const { digestOf } = await import('../../src/wire/content.ts');
  const { writeEvidenceFolder } = await import('../../src/adapters/disk/evidence-folder.ts');
  const parent = mkdtempSync(join(tmpdir(), 'warder-evidence-'));
  folders.push(parent);
  const dir = join(parent, 'evidence');
  const encoded = toCanonicalJson(record);
  expectOk(writeEvidenceFolder(dir, { id: digestOf(encoded), record: encoded, blobs }));
  return dir;
}

describe('a flood of refusals', () => {
  it('is counted, bounded, and pushes out no record of what is active', async () => {
    const host = newHost();
    const enforcer = await host.start();
    await enforce(enforcer, v5);
    const { id } = await newest(enforcer);
    for (let at = 0; at < 50; at += 1) await enforcer.activate(forged);
    const same = (await lines(enforcer)).filter((it) => it.outcome === 'refused');
    expect(same).toMatchObject([{ count: 50, code: 'verify/key-unknown' }]);
    // Others each time: bytes that are no bundle, under digests of their own.
    const junk = new Uint8Array(100_000);
    for (let at = 0; at < 210; at += 1) {
      const digest = `sha256:${at.toString(16).padStart(64, '0')}` as Digest;
      crypto.getRandomValues(junk.subarray(0, 60_000));
      await enforcer.activate({ ...v5, digest, manifest: junk.slice() });
    }
    const kept = expectOk(await enforcer.records(1000));
    const refused = kept.filter((it) => it.outcome === 'refused');
    expect(refused.length).toBeLessThanOrEqual(LIMITS.refusalsMax);
    expect(kept.map((it) => it.id)).toContain(id);
    expect(expectOk(await enforcer.status()).record).toBe(id);
    host.store?.close();
    host.store = null;
    const bytes = statSync(join(host.dir, 'records.db')).size;
    expect(bytes).toBeLessThan(2 * LIMITS.refusalBytesMax);
  }, 60_000);

  it('of admissions keeps those that are needed, whatever their age', () => {
    const folder = mkdtempSync(join(tmpdir(), 'warder-evidence-'));
    folders.push(folder);
    const room = { recordsMax: 3, bytesMax: 100_000 };
    const rooms = { accepted: room, refused: room };
    const { records } = openRecords(join(folder, 'records.db'), rooms);
    const needed = fakeDigest(1);
    for (let at = 1; at <= 9; at += 1) expectOk(records.write(fakeAdmission(at), [needed]));
    const subjects = records.list(100).map((it) => it.subject);
    expect(subjects).toEqual([needed, fakeDigest(7), fakeDigest(8), fakeDigest(9)]);
    records.close();
  });
});

const fakeDigest = (at: number) => `sha256:${String(at).padStart(64, '0')}` as Digest;

function fakeAdmission(at: number) {
  const subject = fakeDigest(at);
  const input = { reference: null, subject, bundles: [], statements: [], document: null };
  const record = {
    ...({ apiVersion: 'warder.dev/decision/v1', by: 'enforcer', program: '0.1.0' } as const),
    at: new Date(NOW_MS + at).toISOString(),
    trust: { version: 1, fingerprint: subject, document: subject, root: null },
    question: { kind: 'fetch', nowMs: NOW_MS } as const,
    ...({ input, checks: [], outcome: 'accepted', failures: [], durationMs: 0 } as const),
  } as const;
  return { record, blobs: new Map<Digest, Uint8Array>() };
}
