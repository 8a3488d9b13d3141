// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { fakeBundle, fakePorts, World } from '../../test/support/fakes.ts';
import { simSetup } from '../../test/support/sim.ts';
import { err, failure } from '../core/result.ts';
import { runAgent } from './daemon.ts';
import type { AgentPorts } from './interpret.ts';
import { createPollRequests } from './requests.ts';

/** A world with a bundle to find, and ports that tell each call before it is made. */
function watched(onCall: (name: string) => void) {
  const world = new World(new Map());
  world.publish(fakeBundle(1, 1));
  world.onCall = onCall;
  const ports: AgentPorts = fakePorts(world);
  return { world, ports };
}

test('X07 a stop at any call ends the agent, and leaves nothing that waits for its confirmation', async () => {
  const { world: whole, ports } = watched(() => {});
  const first = new AbortController();
  const requests = createPollRequests();
  requests.request();
  whole.onReport = (outcome) => outcome !== null && first.abort();
  expect(await runAgent(simSetup(whole), ports, requests, first.signal)).toBeNull();
  expect(whole.names).toContain('store.commit');
  for (let at = 0; at < whole.names.length; at += 1) {
    const stop = new AbortController();
    const again = createPollRequests();
    again.request();
    const { world, ports: more } = watched(() => world.calls > at && stop.abort());
    expect(await runAgent(simSetup(world), more, again, stop.signal)).toBeNull();
    const { enforced } = world;
    expect(enforced.kind !== 'bundle' || enforced.confirmed).toBe(true);
    if (enforced.kind === 'bundle') expect(world.disk.active).toBe(enforced.bundle.digest);
  }
});

test('lost state ends the agent with its reason, before anything is asked or activated', async () => {
  const { world, ports } = watched(() => {});
  const store = { ...ports.store, load: async () => err(failure('state/lost', 'gone')) };
  const stop = new AbortController();
  const ended = await runAgent(
    simSetup(world),
    { ...ports, store },
    createPollRequests(),
    stop.signal,
  );
  expect(ended?.code).toBe('state/lost');
  expect(world.names).toEqual(['reporter.report']);
});

test('a request while a poll runs is served right after it, and several are one', async () => {
  const requests = createPollRequests();
  requests.request();
  requests.request();
  await requests.next(new AbortController().signal);
  const stop = new AbortController();
  const second = requests.next(stop.signal).then(() => stop.signal.aborted);
  stop.abort();
  expect(await second).toBe(true);
  const third = requests.next(new AbortController().signal);
  requests.request();
  await third;
});
