// Polls of a real agent, so many and no more.
//
// SPDX-License-Identifier: Apache-2.0

import { expect } from 'vitest';
import { openStore } from '../../src/adapters/disk/store.ts';
import { collectEvidence, collectStatements } from '../../src/adapters/sigstore/collect.ts';
import { runAgent } from '../../src/controller/daemon.ts';
import { createPollRequests } from '../../src/controller/requests.ts';
import { ok } from '../../src/core/result.ts';
import type { Outcome } from '../../src/core/status.ts';
import { expectOk } from './enforcer.ts';

type Settings = Parameters<typeof runAgent>[0];
type Ports = Parameters<typeof runAgent>[1];

/** Lets an agent with its state in `dir` poll so often, and end; answers how each poll ended. */
export async function runPolls(
  times: number,
  dir: string,
  settings: Settings,
  ports: Omit<Ports, 'store' | 'verifier' | 'reporters'>,
  afterEach: (outcome: Outcome) => void = () => {},
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const stop = new AbortController();
  const requests = createPollRequests();
  requests.request();
  const store = expectOk(openStore({ folder: dir, keepPrevious: 2, onLostState: 'refuse' }));
  const verifier: Ports['verifier'] = {
    collect: async (bundle, trust) => collectEvidence(bundle, trust),
    read: async (statements, trust) => collectStatements(statements, trust),
  };
  const reporter: Ports['reporters'][number] = {
    report: async (_status, outcome) => {
      if (outcome === null) return ok(undefined);
      outcomes.push(outcome);
      afterEach(outcome);
      if (outcomes.length >= times) stop.abort();
      else requests.request();
      return ok(undefined);
    },
  };
  const all = { ...ports, store, verifier, reporters: [reporter] };
  const failed = await runAgent(settings, all, requests, stop.signal);
  store.close();
  expect(failed).toBeNull();
  return outcomes;
}
