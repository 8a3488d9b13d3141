// The case suite on a real kernel: a bundle is published, polled, verified and activated as on any host,
// then every attempt of the table is made. Events and totals come from the enforcer.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionEvent } from '../../src/core/enforcement.ts';
import { type Lab, startLab } from '../support/lab/lab.ts';
import { CASES } from './cases.ts';
import {
  attemptScript,
  expectedTotals,
  judgeCase,
  layoutScript,
  type Played,
  policyOf,
  readPlayed,
} from './suite.ts';

const EVENTS_MAX = 2000;

let lab: Lab;
let played: readonly Played[] = [];
let events: readonly DecisionEvent[] = [];
let totals = { denied: 0, audited: 0, dropped: 0 };

beforeAll(async () => {
  lab = await startLab({ install: layoutScript() });
  const bundle = await lab.origin.push(
    {
      'policies/enforce.yaml': policyOf('enforce'),
      'policies/audit.yaml': policyOf('audit'),
    },
    'Protect every case twice',
  );
  await lab.host.waitUntil(
    'the cases are enforced',
    ({ lastOutcome }) => lastOutcome?.kind === 'activated' && lastOutcome.digest === bundle.digest,
  );
  const before = (await lab.host.status()).enforcer?.totals;
  const script = '/run/attempts.sh';
  await lab.host.guest.put(script, attemptScript());
  const run = await lab.host.guest.run(['sh', script], { timeoutMs: 120_000 });
  played = readPlayed(run.stdout);
  const after = (await lab.host.status()).enforcer?.totals;
  events = await lab.host.events(EVENTS_MAX);
  totals = {
    denied: (after?.denied ?? 0) - (before?.denied ?? 0),
    audited: (after?.audited ?? 0) - (before?.audited ?? 0),
    dropped: after?.dropped ?? -1,
  };
}, 300_000);

afterAll(async () => {
  await lab?.stop();
});

describe('case', () => {
  it.each(CASES.map((one) => ({ ...one, name: `${one.id}: ${one.title}` })))('$name', (one) => {
    expect(judgeCase(one, played, events)).toEqual([]);
  });

  it('counts exactly the denials and would-denials that were seen, and loses none', () => {
    const canaries = totals.denied - expectedTotals().denied;
    expect(totals.audited).toBe(expectedTotals().audited);
    expect(totals.dropped).toBe(0);
    // `warder status` asks the enforcer, which may run its canaries in between: they are denials too.
    expect(canaries).toBeGreaterThanOrEqual(0);
    expect(
      events.filter((it) => it.action === 'deny' && it.rule?.startsWith('cases-')),
    ).toHaveLength(expectedTotals().denied);
  });
});
