// Two agents, each with its own source, store and registry, over the real socket to one enforcer. Whatever is
// scripted to happen to one source, the other one follows its registry and keeps what it enforces. Only the
// kernel and the registries are fakes.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectEnforcer } from '../../src/adapters/enforcer-client/client.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import { parseReference } from '../../src/core/reference.ts';
import { err, failure, ok, type Result } from '../../src/core/result.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { RunningServer } from '../../src/enforcer/server.ts';
import type { ClockPort, EnforcerPort, RegistryPort } from '../../src/ports.ts';
import { serveAgents } from '../support/agent-server.ts';
import { expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { runPolls } from '../support/polls.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { sealed } from '../support/trust.ts';
import { NOW_MS } from '../support/verify.ts';

const ORG = { repository: 'registry.example.com/policies/web', channel: 'prod' };
const TEAM = { name: 'team', repository: 'registry.example.com/team/policies', channel: 'prod' };
// The time of the tests' bundles, running: deadlines of polls are real.
const CLOCK: ClockPort = {
  nowMs: () => NOW_MS + Math.floor(performance.now()),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    }),
  random: () => 0.5,
};
const orgSigner = makeSigner();
const teamSigner = makeSigner();
const org = trustIn(orgSigner);
const TRUST = sealed({
  ...org,
  policies: [
    ...org.policies,
    ...trustIn(teamSigner).policies.map((it) => ({
      ...it,
      name: 'team',
      scope: TEAM.repository,
      release: { ...it.release, anyOf: it.release.anyOf.map((key) => ({ ...key, id: 'team-ci' })) },
    })),
  ],
});

const TEAM_PLACE = { repository: TEAM.repository };
const orgBundles: BundleBytes[] = [];
const teamBundles: BundleBytes[] = [];
let forged: BundleBytes;
beforeAll(async () => {
  for (const version of [1, 2, 3]) {
    orgBundles.push(await makeBundle(orgSigner, version, [ruleFor('org/r', '/etc/hostname')]));
    const rules = [ruleFor(`team/r${version}`, '/etc/passwd')];
    teamBundles.push(await makeBundle(teamSigner, version, rules, TEAM_PLACE));
  }
  forged = await makeBundle(orgSigner, 9, [ruleFor('team/x', '/etc/passwd')], TEAM_PLACE);
});
const bundleOf = (bundles: readonly BundleBytes[], version: number): BundleBytes => {
  const found = bundles[version - 1];
  if (found === undefined) throw new Error(`no bundle ${version}`);
  return found;
};

/** A registry that has one bundle, until a test scripts something else. */
class FakeRegistry implements RegistryPort {
  offered: BundleBytes | null = null;
  trouble: 'none' | 'hangs' | 'other-bytes' | 'fails-in-fetch' = 'none';
  fired = 0;

  async resolve(reference: Parameters<RegistryPort['resolve']>[0], signal?: AbortSignal) {
    if (this.trouble === 'hangs') await this.#hang(signal);
    if (this.trouble === 'hangs') return this.#fail();
    const digest = this.offered?.digest;
    return digest === undefined ? this.#fail() : ok({ reference, digest });
  }

  async fetch({ digest }: { readonly digest: Digest }): Promise<Result<BundleBytes>> {
    if (this.trouble === 'fails-in-fetch' || this.offered === null) return this.#fail();
    if (this.trouble !== 'other-bytes') return ok(this.offered);
    this.fired += 1;
    const other = this.offered === forged ? bundleOf(teamBundles, 1) : forged;
    return ok({ ...other, digest });
  }

  async head(): Promise<Result<readonly Uint8Array[]>> {
    return err(failure('verify/head-missing', 'none'));
  }

  async trust(): Promise<Result<null>> {
    return ok(null);
  }

  #fail(): Result<never> {
    this.fired += 1;
    return err(failure('fetch/registry-unavailable', 'scripted'));
  }

  #hang(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

/** One source as its agent sees it. */
class Follower {
  readonly registry = new FakeRegistry();
  readonly dir = mkdtempSync(join(tmpdir(), 'warder-agent-'));
  readonly port: EnforcerPort;
  readonly #place: typeof ORG;
  /** The probes of the host say no to what this agent activates. */
  isSick = false;

  constructor(source: string | null, place: typeof ORG) {
    this.#place = place;
    this.port = connectEnforcer({
      socketPath: socket,
      client: 'test',
      replyTimeoutMs: 20_000,
      activateTimeoutMs: 60_000,
      ...(source === null ? {} : { source }),
    });
  }

  /** Polls so often; the first answers of the store and of the enforcer come before that. */
  async poll(times = 1): Promise<readonly string[]> {
    const { repository, channel } = this.#place;
    const outcomes = await runPolls(
      times,
      this.dir,
      {
        ...{ reference: expectOk(parseReference(`${repository}:${channel}`)), repository, channel },
        ...{
          labels: {},
          agentVersion: '0.1.0',
          kernelRelease: '6.1.0',
          trust: TRUST,
          judge,
          probes: ['web'],
        },
        schedule: {
          ...{ intervalMs: 60_000, pollTimeoutMs: 300 },
          ...{ backoffMinMs: 60_000, backoffMaxMs: 60_000 },
        },
      },
      {
        registry: this.registry,
        ...{ enforcer: this.port, trust: TRUST },
        clock: CLOCK,
        probes: {
          run: async () => [
            { name: 'web', outcome: this.isSick ? 'failed' : 'passed', detail: '' } as const,
          ],
        },
      },
    );
    return outcomes.map((it) => it.kind);
  }

  async enforced(): Promise<number | null> {
    const { enforced } = expectOk(await this.port.status());
    return enforced.kind === 'bundle' ? enforced.bundle.version : null;
  }
}

const socketDir = mkdtempSync(join(tmpdir(), 'warder-socket-'));
const socket = join(socketDir, 'enforcer.sock');
let host: TestHost;
let server: RunningServer;
let main: Follower;
let team: Follower;

beforeEach(async () => {
  host = new TestHost(TRUST);
  await serve();
  main = new Follower(null, ORG);
  team = new Follower('team', TEAM);
  main.registry.offered = bundleOf(orgBundles, 1);
  team.registry.offered = bundleOf(teamBundles, 1);
  await main.poll();
  await team.poll();
  expect(await inForce()).toEqual([1, 1]);
});
afterEach(async () => {
  await server.close();
  host.remove();
  for (const { dir } of [main, team]) rmSync(dir, { recursive: true, force: true });
});
afterAll(() => rmSync(socketDir, { recursive: true }));

async function serve(): Promise<void> {
  const enforcer = await host.start({ sources: [TEAM] });
  server = await serveAgents(socket, enforcer);
}

const inForce = async () => [await main.enforced(), await team.enforced()];

describe('two agents at one enforcer', () => {
  it('follow their registries side by side, and see what is theirs', async () => {
    main.registry.offered = bundleOf(orgBundles, 2);
    team.registry.offered = bundleOf(teamBundles, 3);
    await Promise.all([main.poll(3), team.poll(3)]);
    expect(await inForce()).toEqual([2, 3]);
    const { lastKnownGood, highestSeen } = expectOk(await team.port.status());
    expect([lastKnownGood?.version, highestSeen]).toEqual([3, 3]);
  });

  const SCRIPTS: readonly [string, (it: Follower) => void][] = [
    ['a registry that hangs', (it) => Object.assign(it.registry, { trouble: 'hangs' })],
    ['a fetch that fails', (it) => Object.assign(it.registry, { trouble: 'fails-in-fetch' })],
    ['bytes of another bundle', (it) => Object.assign(it.registry, { trouble: 'other-bytes' })],
    ['a bundle that another scope signed', (it) => Object.assign(it.registry, { offered: forged })],
    ['a bundle that makes the host sick', (it) => Object.assign(it, { isSick: true })],
  ];
  for (const [what, script] of SCRIPTS) {
    // Nothing tells the two apart but their names: the other way round is tried where time passes.
    for (const which of what.includes('sick') ? (['team', 'main'] as const) : (['team'] as const)) {
      it(`${what}, at the ${which} source, is nothing to the other`, async () => {
        const [bad, good] = which === 'main' ? [main, team] : [team, main];
        bad.registry.offered = bundleOf(which === 'main' ? orgBundles : teamBundles, 2);
        good.registry.offered = bundleOf(which === 'main' ? teamBundles : orgBundles, 2);
        script(bad);
        await Promise.all([bad.poll(2), good.poll(3)]);
        expect([await bad.enforced(), await good.enforced()]).toEqual([1, 2]);
        // The enforcer dies and comes back, and so do both agents.
        await server.close();
        await serve();
        expect([await bad.enforced(), await good.enforced()]).toEqual([1, 2]);
        good.registry.offered = bundleOf(which === 'main' ? teamBundles : orgBundles, 3);
        await Promise.all([bad.poll(), good.poll(3)]);
        expect([await bad.enforced(), await good.enforced()]).toEqual([1, 3]);
        // What was wrong is repaired.
        Object.assign(bad, { isSick: false });
        Object.assign(bad.registry, {
          trouble: 'none',
          offered: bundleOf(which === 'main' ? orgBundles : teamBundles, 3),
        });
        await bad.poll(2);
        expect(await inForce()).toEqual([3, 3]);
      });
    }
  }
});
