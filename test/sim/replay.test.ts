// An older bundle that was admitted here is refused by its digest alone: nothing is downloaded again.
//
// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import type { Outcome } from '../../src/core/status.ts';
import { type FakeBundle, fakeBundle, type World } from '../support/fakes.ts';
import { simulate } from '../support/sim.ts';

const older = fakeBundle(1, 1);
const newer = fakeBundle(2, 2);

/** Publishes the bundles one after the other; answers what was downloaded and what was refused. */
async function offer(...bundles: readonly FakeBundle[]) {
  const fetched: (string | null)[] = [];
  const refused: Outcome[] = [];
  const watch = (world: World): void => {
    const { onCall, onReport } = world;
    world.onCall = (name, detail) => {
      onCall(name, detail);
      if (name === 'registry.fetch') fetched.push(detail);
    };
    world.onReport = (outcome) => {
      onReport(outcome);
      if (outcome?.kind === 'refused') refused.push(outcome);
    };
  };
  const scenario = bundles.map((bundle, at) => (world: World) => {
    if (at === 0) watch(world);
    world.publish(bundle);
  });
  const { world } = await simulate(scenario, new Map());
  return { world, fetched, refused };
}

test('what was admitted here and is below the floor is refused without a download', async () => {
  const { world, fetched, refused } = await offer(older, newer, older, newer);
  expect(fetched).toEqual([older.bytes.digest, newer.bytes.digest]);
  expect(refused.map((it) => [it.digest, it.version, it.failures[0]?.code])).toEqual([
    [older.bytes.digest, 1, 'verify/rollback'],
  ]);
  expect(world.enforced).toMatchObject({ kind: 'bundle', bundle: { version: 2 } });
});

test('what was never admitted here is downloaded, whatever its version will be', async () => {
  const { fetched } = await offer(newer, older, newer);
  expect(fetched).toContain(older.bytes.digest);
});
