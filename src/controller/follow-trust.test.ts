// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { TRUST } from '../../test/support/fakes.ts';
import type { EnforcerStatus } from '../core/enforcement.ts';
import { err, failure, ok } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { TrustFollower, type TrustRoute } from './follow-trust.ts';

const ROOTED: TrustPolicy = { ...TRUST, version: 4, roots: { threshold: 1, keys: [] } };
const NEXT: TrustPolicy = { ...ROOTED, version: 5 };
const STATEMENTS = [new TextEncoder().encode('{}')];

/** An enforcer that has `inForce`, and a registry that has `versions`. */
function route(inForce: TrustPolicy, versions: readonly number[], takes = true) {
  const world = { inForce, asked: [] as number[], told: [] as string[], nowMs: 0 };
  const refused = failure('trust/would-distrust', 'no');
  const it: TrustRoute = {
    registry: {
      trust: async (_repository, _channel, version) => {
        world.asked.push(version);
        return ok(versions.includes(version) ? STATEMENTS : null);
      },
    },
    enforcer: {
      status: async () => {
        const { version, fingerprint } = world.inForce;
        return ok({ trust: { version, fingerprint } } as EnforcerStatus);
      },
      trust: async () => {
        if (!takes) return err(refused);
        world.inForce = NEXT;
        return ok({ version: 5, fingerprint: NEXT.fingerprint, distrusted: [] });
      },
      readTrust: async () => ok(new Uint8Array()),
    },
    clock: { nowMs: () => world.nowMs },
    repository: { kind: 'registry', host: 'r', path: 'p' },
    channel: 'c',
    parse: () => ok(world.inForce),
    tell: (why) => world.told.push(why.code),
  };
  return { it, world };
}

test('a new version is carried to the enforcer, and then gone by', async () => {
  const { it, world } = route(ROOTED, [5]);
  expect(await new TrustFollower(ROOTED, it).look(false)).toBe(NEXT);
  expect(world.asked).toEqual([5]);
});

test('the registry is asked once in five minutes, and never for a policy without roots', async () => {
  const { it, world } = route(ROOTED, []);
  const follower = new TrustFollower(ROOTED, it);
  for (const minutes of [0, 1, 4.9, 5, 6, 10]) {
    world.nowMs = minutes * 60_000;
    expect(await follower.look(false)).toBeNull();
  }
  expect(world.asked).toEqual([5, 5, 5]);
  const plain = route({ ...TRUST, version: 4 }, [5]);
  expect(await new TrustFollower({ ...TRUST, version: 4 }, plain.it).look(false)).toBeNull();
  expect(plain.world.asked).toEqual([]);
});

test('what the enforcer refuses is told, and nothing is gone by', async () => {
  const { it, world } = route(ROOTED, [5], false);
  expect(await new TrustFollower(ROOTED, it).look(false)).toBeNull();
  expect(world.told).toEqual(['trust/would-distrust']);
});

test('what root applied at the enforcer is taken over; an older policy there is not', async () => {
  const { it } = route(NEXT, []);
  expect(await new TrustFollower(ROOTED, it).look(true)).toBe(NEXT);
  const older = route(ROOTED, []);
  expect(await new TrustFollower(NEXT, older.it).look(true)).toBeNull();
});
