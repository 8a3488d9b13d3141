// What becomes of the agent when the privileged side is killed by what it loads, never answers, or cannot load:
// a real registry, oras and socket. C05 and C06 of the list of hostile inputs; in guests, real kernels refuse.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectEnforcer } from '../../src/adapters/enforcer-client/client.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Result } from '../../src/core/result.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import type { RunningServer } from '../../src/enforcer/server.ts';
import type { EnforcerPort } from '../../src/ports.ts';
import { serveAgents } from '../support/agent-server.ts';
import { expectOk, makeBundle, ruleFor } from '../support/enforcer.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { sealed } from '../support/trust.ts';
import { World } from '../support/world.ts';

const ci = makeSigner();
const RULES = [ruleFor('a/one', '/etc/hostname')];
const dir = mkdtempSync(join(tmpdir(), 'warder-socket-'));
const path = join(dir, 'enforcer.sock');
let registry: TestRegistry;
let v5: BundleBytes;
let v6: BundleBytes;
let world: World;
let server: RunningServer;

beforeAll(async () => {
  registry = await startRegistry();
  v5 = await makeBundle(ci, 5, RULES);
  v6 = await makeBundle(ci, 6, RULES);
});
afterAll(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true });
});
beforeEach(async () => {
  world = new World(registry.host, sealed(trustIn(ci)));
  world.port = connectEnforcer({
    socketPath: path,
    client: 'test',
    replyTimeoutMs: 20_000,
    activateTimeoutMs: 2_000,
  });
  await serve();
  await world.offer(v5);
  expect(await codes()).toEqual(['activated']);
});
afterEach(async () => {
  await server.close();
  world.remove();
});

/** Serves the host's enforcer, with one answer replaced. */
async function serve(change: Partial<EnforcerPort> = {}): Promise<void> {
  const enforcer = await world.host.start();
  const replaced = new Proxy(enforcer, {
    get: (target, name) => {
      const value = change[name as keyof EnforcerPort] ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  server = await serveAgents(path, replaced as Enforcer);
}

const codes = async (times = 1) =>
  (await world.poll(times)).map((it) => it.failures[0]?.code ?? it.kind);

const never = () => new Promise<Result<never>>(() => undefined);

it.each(['never answers', 'is gone in the middle'])(
  'C06 a loader that %s costs the agent one poll, and the kernel nothing',
  async (how) => {
    await server.close();
    const ended: Promise<void>[] = [];
    await serve({
      activate: () => {
        if (how !== 'never answers') ended.push(server.close());
        return never();
      },
    });
    const before = [world.host.kernel.enforces, world.changes];
    await world.offer(v6);
    expect(await codes()).toEqual(['host/enforcer-unavailable']);
    expect([world.host.kernel.enforces, world.changes]).toEqual(before);
    await Promise.all(ended);
    if (ended.length === 0) await server.close();
    // The service manager has started it again.
    await serve();
    expect(await codes(2)).toContain('activated');
    expect(await world.enforced()).toBe('v6');
  },
);

it('C05 programs that the kernel refuses leave the ones of before attached', async () => {
  await server.close();
  const { kernel } = world.host;
  const before = [kernel.enforces, world.changes];
  kernel.faults.failing.add('open');
  await expect(world.host.start()).rejects.toThrow('activate/');
  expect(kernel.faults.fired).toBeGreaterThan(0);
  expect([kernel.enforces, world.changes]).toEqual(before);
  await world.offer(v6);
  expect(await codes2()).toEqual(['host/enforcer-unavailable']);
  kernel.faults.failing.clear();
  await serve();
  expect(await codes(2)).toContain('activated');
  expect(expectOk(await (await world.host.start()).status()).highestSeen).toBe(6);
});

/** A poll of an agent whose enforcer does not run. */
async function codes2(): Promise<readonly string[]> {
  world.host.enforcer = { status: never } as unknown as Enforcer;
  try {
    return await codes();
  } finally {
    world.host.enforcer = null;
  }
}
