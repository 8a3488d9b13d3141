// Decision records of the agent: its machine notes every verdict and every refusal that will come again, the
// real store keeps them, and they repeat like the enforcer's.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/adapters/disk/store.ts';
import { collectEvidence, collectStatements } from '../../src/adapters/sigstore/collect.ts';
import { toRecord } from '../../src/controller/notes.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { EventBody, MachineSetup, State } from '../../src/core/machine/state.ts';
import { begin, step } from '../../src/core/machine/step.ts';
import { parseReference } from '../../src/core/reference.ts';
import { failure } from '../../src/core/result.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { documentOf, run } from '../support/cli.ts';
import { expectOk, makeBundle, ruleFor } from '../support/enforcer.ts';
import { STATUS } from '../support/enforcer-answers.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { sealed } from '../support/trust.ts';
import { NOW_MS } from '../support/verify.ts';

const ci = makeSigner();
const clockwork = makeSigner();
const TRUST = sealed(trustIn(ci));
const WITH_HEADS = sealed(trustWithHeads(ci, clockwork));
const reference = expectOk(parseReference('registry.example.com/policies/web:prod'));
let v8: BundleBytes;
let forged: BundleBytes;
const folder = mkdtempSync(join(tmpdir(), 'warder-notes-'));

beforeAll(async () => {
  v8 = await makeBundle(ci, 8, [ruleFor('a/one', '/etc/hostname')]);
  forged = await makeBundle(makeSigner(), 9, [ruleFor('a/one', '/etc/hostname')]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Plays events to a machine and keeps what it notes in a real store; answers the records' lines. */
async function play(trust: TrustPolicy, polls: readonly (readonly EventBody[])[]) {
  const setup: MachineSetup = {
    ...{ reference, trust, judge, repository: 'registry.example.com/policies/web' },
    ...{ channel: 'prod', agentVersion: '0.1.0', kernelRelease: '6.1.0', labels: {}, probes: [] },
    schedule: { intervalMs: 1, pollTimeoutMs: 60_000, backoffMinMs: 1, backoffMaxMs: 1 },
  };
  const store = expectOk(openStore({ folder, keepPrevious: 1, onLostState: 'refuse' }));
  expectOk(await store.load());
  const enforcer = {
    ...STATUS,
    enforced: { kind: 'nothing' },
    highestSeen: null,
    hold: null,
  } as const;
  const contents = { floor: null, active: null, generations: [], quarantine: [], repaired: [] };
  for (const [at, poll] of polls.entries()) {
    let state: State = begin(setup, NOW_MS).state;
    const events: EventBody[] = [
      { kind: 'loaded', contents },
      { kind: 'asked', status: { ...enforcer, head: null } },
      { kind: 'woken' },
      { kind: 'asked', status: { ...enforcer, head: null } },
      ...poll,
    ];
    for (const event of events) {
      const next = step(setup, state, { ...event, atMs: NOW_MS + at, random: 0.5 });
      state = next.state;
      for (const command of next.commands) {
        if (command.kind === 'note') expectOk(await store.note(toRecord(command.note, trust)));
      }
    }
  }
  store.close();
  const listed = await run(['evidence', 'list', '--state', folder, '-o', 'json']);
  expect(listed).toMatchObject({ exit: 0, stderr: '' });
  return (documentOf(listed) as { records: { id: string; by: string; code: string }[] }).records;
}

const offered = (bundle: BundleBytes): readonly EventBody[] => [
  { kind: 'discovered', candidate: { reference, digest: bundle.digest } },
  { kind: 'fetched', bundle },
  { kind: 'collected', evidence: expectOk(collectEvidence(bundle, TRUST)) },
];

async function repeat(id: string) {
  const dir = join(folder, id.slice(7, 20));
  const where = ['--state', folder];
  expect((await run(['evidence', 'export', id, '--to', dir, ...where])).exit).toBe(0);
  const printed = await run(['verify', '--evidence', dir, '-o', 'json']);
  return { ...documentOf(printed), exit: printed.exit };
}

it('names admissions, refusals and what was refused on the way, told apart from the enforcer', async () => {
  const mismatch = failure('fetch/digest-mismatch', 'other bytes were sent');
  const found = await play(TRUST, [
    offered(v8),
    offered(forged),
    [
      { kind: 'discovered', candidate: { reference, digest: v8.digest } },
      { kind: 'failed', of: 'fetch', failure: mismatch },
    ],
    [
      { kind: 'discovered', candidate: { reference, digest: v8.digest } },
      // It may pass by itself: no decision.
      { kind: 'failed', of: 'fetch', failure: failure('fetch/timeout', 'too late') },
    ],
  ]);
  expect(found).toMatchObject([
    { by: 'agent', kind: 'bundle', outcome: 'accepted', subject: v8.digest },
    { by: 'agent', kind: 'bundle', outcome: 'refused', code: 'verify/key-unknown' },
    { by: 'agent', kind: 'fetch', outcome: 'refused', code: 'fetch/digest-mismatch' },
  ]);
  const [accepted, refused, missing] = found.map((it) => it.id);
  expect(await repeat(accepted ?? '')).toMatchObject({ exit: 0, comparison: 'same', by: 'agent' });
  expect(await repeat(refused ?? '')).toMatchObject({ exit: 0, comparison: 'same', by: 'agent' });
  expect(await repeat(missing ?? '')).toMatchObject({
    exit: 19,
    errors: [{ code: 'state/evidence-incomplete' }],
  });
});

it('names heads, good and stale', async () => {
  const heads = [1, 48].map((hours) => headOf(v8, 8, NOW_MS - hours * HOUR_MS));
  const polls: EventBody[][] = [];
  for (const head of heads) {
    const statements = await signHead(head, clockwork);
    const facts = expectOk(collectStatements(statements, WITH_HEADS));
    polls.push([
      { kind: 'head-found', statements },
      { kind: 'head-read', facts },
    ]);
  }
  const found = await play(WITH_HEADS, polls);
  expect(found).toMatchObject([
    { kind: 'head', outcome: 'accepted', subject: v8.digest },
    { kind: 'head', outcome: 'refused', code: 'verify/stale-head' },
  ]);
  for (const { id } of found)
    expect(await repeat(id)).toMatchObject({ exit: 0, comparison: 'same' });
});
