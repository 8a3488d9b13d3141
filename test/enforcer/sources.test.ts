// Several sources on one host: each verified by its own scope, floor and signers; all in one generation;
// none touching what another enforces, whatever becomes of it.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { PolicyIr } from '../../src/core/policy/ir.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import type { Step } from '../../src/enforcer/generations.ts';
import { Crash, enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { makeSigner, type TestSigner, trustIn } from '../support/signed-bundle.ts';

const TEAM = { name: 'team', repository: 'registry.example.com/team/policies', channel: 'prod' };
const SOURCES = { sources: [TEAM] };
/** What the kernel is told to change by. */
const CHANGES: ReadonlySet<string> = new Set(['fill', 'commit']);
const orgSigner = makeSigner();
const teamSigner = makeSigner();

/** Two scopes, each with signers of its own. */
function trust(team: readonly TestSigner[] = [teamSigner]): TrustPolicy {
  const org = trustIn(orgSigner);
  const scoped = trustIn(...team).policies.map((it) => ({
    ...it,
    name: 'team',
    scope: TEAM.repository,
    release: {
      ...it.release,
      anyOf: it.release.anyOf.map((key) => ({ ...key, id: `team-${key.id}` })),
    },
  }));
  return { ...org, policies: [...org.policies, ...scoped] };
}

type Rules = PolicyIr['rules'];
const org = (version: number, rules: Rules = [ruleFor('org/one', '/etc/hostname')]) =>
  makeBundle(orgSigner, version, rules);
const team = (
  version: number,
  rules: Rules = [ruleFor('team/one', '/etc/passwd')],
  by = teamSigner,
) => makeBundle(by, version, rules, { repository: TEAM.repository });

let org1: BundleBytes;
let org2: BundleBytes;
let team1: BundleBytes;
let team2: BundleBytes;
let host = new TestHost(trust());

beforeAll(async () => {
  org1 = await org(1);
  org2 = await org(2, [ruleFor('org/two', '/etc/hostname')]);
  team1 = await team(1);
  team2 = await team(2, [ruleFor('team/two', '/etc/passwd')]);
});
afterEach(() => {
  host.remove();
  host = new TestHost(trust());
});

/** The digests in force, the main source's first; null where a source has none. */
async function inForce(enforcer: Enforcer | null = host.enforcer) {
  if (enforcer === null) throw new Error('the host runs');
  const status = expectOk(await enforcer.status());
  return [status.enforced, ...status.sources.map((it) => it.enforced)].map((it) =>
    it.kind === 'bundle' ? it.bundle.digest : null,
  );
}

/** The names of the rules that the kernel holds, without the baseline. */
function rulesInForce(): readonly string[] {
  const row = host.store?.generations.get(host.kernel.enforces ?? 0);
  return (row?.rules ?? []).map((it) => it.id).filter((it) => !it.startsWith('warder-'));
}

async function startBoth(): Promise<Enforcer> {
  const enforcer = await host.start(SOURCES);
  await enforce(enforcer, org1);
  await enforce(enforcer, team1);
  return enforcer;
}

describe('two sources', () => {
  it('are in one generation, told apart by name, each with a status of its own', async () => {
    const enforcer = await startBoth();
    expect(rulesInForce()).toEqual(['org/one', 'team:team/one']);
    expect(await inForce()).toEqual([org1.digest, team1.digest]);
    expect(expectOk(await enforcer.status())).toMatchObject({
      enforced: { confirmed: true },
      lastKnownGood: { digest: org1.digest },
      sources: [{ name: 'team', isConfigured: true, lastKnownGood: { digest: team1.digest } }],
    });
    expect(expectOk(await enforcer.status('team'))).toMatchObject({
      enforced: { bundle: { digest: team1.digest }, confirmed: true },
      lastKnownGood: { digest: team1.digest },
    });
    expect(await enforcer.status('other')).toMatchObject({
      error: { code: 'config/source-unknown' },
    });
    expect(expectOk(await enforcer.probe()).healthy).toBe(true);
  });

  it('have floors of their own', async () => {
    const enforcer = await startBoth();
    await enforce(enforcer, await org(7));
    await enforce(enforcer, team2);
    expect(await enforcer.activate(org2)).toMatchObject({ error: { code: 'verify/rollback' } });
    expect(await enforcer.activate(team1)).toMatchObject({ error: { code: 'verify/rollback' } });
    const status = expectOk(await enforcer.status());
    expect(status.highestSeen).toBe(7);
    expect(status.sources[0]?.highestSeen).toBe(2);
    expect(existsSync(join(host.dir, 'floor.team'))).toBe(true);
  });

  it('cannot speak for each other, and a refusal changes nothing', async () => {
    const enforcer = await startBoth();
    const before = host.kernel.enforces;
    const rules = [ruleFor('x/x', '/etc/shadow')];
    const hostile = [
      await makeBundle(teamSigner, 9, rules),
      await team(9, rules, orgSigner),
      await team(9, rules, makeSigner()),
      await makeBundle(teamSigner, 9, rules, { repository: 'registry.example.com/other' }),
      await makeBundle(teamSigner, 9, rules, { repository: TEAM.repository, channel: 'dev' }),
    ];
    for (const bundle of hostile) {
      const answer = await enforcer.activate(bundle);
      expect(answer.ok ? null : answer.error.code).toMatch(/^verify\//);
    }
    expect(host.kernel.enforces).toBe(before);
    expect(expectOk(await enforcer.status())).toMatchObject({
      highestSeen: 1,
      sources: [{ highestSeen: 1 }],
    });
  });

  it('change one at a time, and what nobody confirms goes without the other', async () => {
    const enforcer = await startBoth();
    expectOk(await enforcer.activate(team2));
    expect(await enforcer.activate(org2)).toMatchObject({
      error: { code: 'activate/other-pending' },
    });
    expect(expectOk(await enforcer.status()).enforced).toMatchObject({ confirmed: true });
    expect(expectOk(await enforcer.status('team')).enforced).toMatchObject({ confirmed: false });
    expect(await enforcer.confirm(org2.digest)).toMatchObject({
      error: { code: 'confirm/not-pending' },
    });
    expectOk(await enforcer.confirm(org1.digest));
    expectOk(await enforcer.restore('nothing of it is mine'));
    expect(await inForce()).toEqual([org1.digest, team2.digest]);
    host.clock.advance(60_000);
    await expect.poll(() => inForce()).toEqual([org1.digest, team1.digest]);
    await enforce(enforcer, org2);
    expect(await inForce()).toEqual([org2.digest, team1.digest]);
  });

  it('are rolled back and held one by one', async () => {
    const enforcer = await startBoth();
    await enforce(enforcer, team2);
    await enforce(enforcer, org2);
    expectOk(await enforcer.rollback('alice', 'it hurts', 'team'));
    expect(await inForce()).toEqual([org2.digest, team1.digest]);
    expect(await enforcer.activate(team2)).toMatchObject({ error: { code: 'activate/held' } });
    const org3 = await org(3);
    await enforce(enforcer, org3);
    expect(await inForce()).toEqual([org3.digest, team1.digest]);
    expect(expectOk(await enforcer.status())).toMatchObject({
      hold: null,
      sources: [{ hold: { digest: team2.digest, by: 'alice' } }],
    });
    await host.start(SOURCES);
    expect(await inForce()).toEqual([org3.digest, team1.digest]);
    expectOk(await (host.enforcer as Enforcer).resume('alice'));
    await enforce(host.enforcer as Enforcer, team2);
    expect(await inForce()).toEqual([org3.digest, team2.digest]);
  });

  it('explain a denial by the bundle of the source whose rule it is', async () => {
    await startBoth();
    const row = host.store?.generations.get(host.kernel.enforces ?? 0);
    expect(row?.content).toEqual([org1.digest, team1.digest]);
    expect(host.store?.admitted(team1.digest)?.source).toBe('team');
    expect(host.store?.admitted(org1.digest)?.source).toBe('');
  });
});

describe('what one source does', () => {
  it('does not keep its own bundle from being refused for itself', async () => {
    const enforcer = await startBoth();
    const before = host.kernel.enforces;
    const missing = await team(3, [ruleFor('team/x', join(host.dir, 'none', 'x', 'y'))]);
    const answer = await enforcer.activate(missing);
    expect(answer.ok ? null : answer.error.code).toMatch(/^stage\//);
    expect(host.kernel.enforces).toBe(before);
    expect(await inForce()).toEqual([org1.digest, team1.digest]);
  });

  it('is not held against the bundle of another', async () => {
    const enforcer = await startBoth();
    const dir = join(host.dir, 'there');
    mkdirSync(dir);
    await enforce(enforcer, await team(3, [ruleFor('team/x', join(dir, 'a'))]));
    rmSync(dir, { recursive: true });
    const before = host.kernel.enforces;
    expect(await enforcer.activate(org2)).toMatchObject({
      error: { code: 'activate/other-source' },
    });
    expect(host.kernel.enforces).toBe(before);
  });

  it('counts against the limits of all, and what does not fit is told with its share', async () => {
    const enforcer = await host.start(SOURCES);
    const many = (name: string) =>
      Array.from({ length: 600 }, (_, index) =>
        ruleFor(`${name}/r${String(index).padStart(3, '0')}`, '/etc/hostname'),
      );
    const orgMany = await org(1, many('org'));
    await enforce(enforcer, orgMany);
    const touched = host.kernel.calls.length;
    const before = host.kernel.enforces;
    const answer = await enforcer.activate(await team(1, many('team')));
    expect(answer).toMatchObject({
      error: {
        code: 'activate/sources-too-large',
        message: expect.stringContaining('the bundle of source team does not fit: 1200 rules'),
        causes: ['the main source: 600 rules, 600 objects', 'source team: 600 rules, 600 objects'],
      },
    });
    expect(await inForce()).toEqual([orgMany.digest, null]);
    expect(host.kernel.enforces).toBe(before);
    expect(host.kernel.calls.slice(touched).filter((it) => CHANGES.has(it))).toEqual([]);
    // The main source goes on, and so does this one with less.
    const smaller = await org(2, many('org').slice(0, 400));
    await enforce(enforcer, smaller);
    const fits = await team(2, many('team'));
    await enforce(enforcer, fits);
    expect(await inForce()).toEqual([smaller.digest, fits.digest]);
  });

  it('cannot open a tree of another by one that takes over what leaves it', async () => {
    const enforcer = await host.start(SOURCES);
    const tree = (id: string, path: string) => ({
      ...ruleFor(id, path),
      operations: ['read'] as const,
      objects: [{ kind: 'tree' as const, path }],
    });
    const first = await org(1, [tree('org/a', join(host.dir, 'a'))]);
    mkdirSync(join(host.dir, 'a'));
    mkdirSync(join(host.dir, 'b'));
    await enforce(enforcer, first);
    expect(
      await enforcer.activate(await team(1, [tree('team/b', join(host.dir, 'b'))])),
    ).toMatchObject({
      error: { code: 'activate/source-conflict' },
    });
    expect(await inForce()).toEqual([first.digest, null]);
  });

  it('never costs another its evidence', async () => {
    const enforcer = await startBoth();
    for (let version = 100; version < 112; version += 1)
      await enforce(enforcer, await team(version));
    expect(host.store?.evidence(org1.digest).ok).toBe(true);
    host.reboot();
    await host.start(SOURCES);
    expect((await inForce())[0]).toBe(org1.digest);
  });

  it('that lost its evidence goes back along its own chain', async () => {
    const enforcer = await startBoth();
    await enforce(enforcer, team2);
    host.reboot();
    const database = new DatabaseSync(join(host.dir, 'enforcer.db'));
    database
      .prepare('UPDATE evidence SET bytes = ? WHERE digest = ?')
      .run(Buffer.from('x'), team2.digest);
    database.close();
    await host.start(SOURCES);
    expect(await inForce()).toEqual([org1.digest, team1.digest]);
    expect(host.told.map((it) => it.code)).toContain('restore/evidence-corrupt');
    expect(expectOk(await (host.enforcer as Enforcer).status('team')).highestSeen).toBe(2);
  });

  it('that lost its floor admits nothing, and the other goes on', async () => {
    await startBoth();
    host.stop();
    const database = new DatabaseSync(join(host.dir, 'enforcer.db'));
    database.exec("DELETE FROM facts WHERE name = 'floor@team'");
    database.close();
    const again = await host.start(SOURCES);
    expect(expectOk(await again.status('team')).highestSeen).toBe(1);
    host.stop();
    const once = new DatabaseSync(join(host.dir, 'enforcer.db'));
    once.exec("DELETE FROM facts WHERE name = 'floor@team'");
    once.close();
    rmSync(join(host.dir, 'floor.team'));
    mkdirSync(join(host.dir, 'floor.team'));
    const lost = await host.start(SOURCES);
    expect(await lost.activate(team2)).toMatchObject({ error: { code: 'state/lost' } });
    await enforce(lost, org2);
    expect(await inForce()).toEqual([org2.digest, team1.digest]);
  });

  it('distrusted, goes alone where that is configured', async () => {
    const enforcer = await startBoth();
    const next: TrustPolicy = {
      ...trust([makeSigner()]),
      version: 2,
      fingerprint: team1.digest,
      onDistrustedLkg: 'baseline',
    };
    expect(await enforcer.takeFile(next)).toMatchObject({
      error: { code: 'trust/would-distrust', causes: [expect.stringContaining(team1.digest)] },
    });
    expectOk(await enforcer.takeFile({ ...next, force: true }));
    expect(await inForce()).toEqual([org1.digest, null]);
  });
});

describe('the configuration', () => {
  it('adds a source to a host that had one', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, org1);
    const again = await host.start(SOURCES);
    expect(await inForce()).toEqual([org1.digest, null]);
    await enforce(again, team1);
    expect(await inForce()).toEqual([org1.digest, team1.digest]);
  });

  it('takes nothing out of force by leaving a source out, until root removes it', async () => {
    await startBoth();
    expect(await (host.enforcer as Enforcer).removeSource('team', 'root')).toMatchObject({
      error: { code: 'config/source-in-use' },
    });
    for (const then of ['restart', 'reboot']) {
      if (then === 'reboot') host.reboot();
      const without = await host.start();
      expect(await inForce(), then).toEqual([org1.digest, team1.digest]);
      const status = expectOk(await without.status());
      expect(status.sources).toMatchObject([{ name: 'team', isConfigured: false }]);
      expect(status.alerts.map((it) => it.code)).toContain('config/source-gone');
      expect(await without.activate(team2)).toMatchObject({
        error: { code: 'config/source-unknown' },
      });
    }
    const last = host.enforcer as Enforcer;
    expectOk(await last.removeSource('team', 'root'));
    expect(await inForce()).toEqual([org1.digest]);
    expect(rulesInForce()).toEqual(['org/one']);
    expect(expectOk(await last.status()).alerts.map((it) => it.code)).not.toContain(
      'config/source-gone',
    );
    await host.start(SOURCES);
    expect(await inForce()).toEqual([org1.digest, null]);
    // Its floor stayed: it begins where it was.
    expect(expectOk(await (host.enforcer as Enforcer).status('team')).highestSeen).toBe(1);
  });

  it('of before several sources is taken over with what it enforces', async () => {
    const enforcer = await host.start();
    await enforce(enforcer, org1);
    await enforce(enforcer, org2);
    host.stop();
    const database = new DatabaseSync(join(host.dir, 'enforcer.db'));
    database.exec(`ALTER TABLE admitted DROP COLUMN source;
      ALTER TABLE admitted DROP COLUMN root;
      DROP TABLE roots;
      ALTER TABLE generations DROP COLUMN content;
      ALTER TABLE generations DROP COLUMN changed;
      ALTER TABLE generations DROP COLUMN map_ids;
      ALTER TABLE generations DROP COLUMN programs;
      ALTER TABLE generations DROP COLUMN left_out;
      ALTER TABLE generations ADD COLUMN header_map_id INTEGER;
      PRAGMA user_version = 3`);
    database.close();
    const before = host.kernel.enforces;
    const again = await host.start(SOURCES);
    expect(host.kernel.enforces).toBe(before);
    expect(await inForce()).toEqual([org2.digest, null]);
    await enforce(again, team1);
    expectOk(await again.rollback('alice', 'older'));
    expect(await inForce()).toEqual([org1.digest, team1.digest]);
  });
});

const STEPS: readonly Step[] = [
  ...(['verified', 'floor-raised', 'admitted', 'compiled', 'announced', 'filled'] as const),
  ...(['read-back', 'committed', 'recorded', 'confirmed'] as const),
];

describe('a process that dies while one source changes', () => {
  for (const step of STEPS) {
    for (const then of ['restart', 'reboot'] as const) {
      it(`after "${step}": a ${then} has old or new of it, and all of the other`, async () => {
        const enforcer = await startBoth();
        host.crashAt = step;
        await expect(enforce(enforcer, team2)).rejects.toThrow(Crash);
        if (then === 'reboot') host.reboot();
        const again = await host.start(SOURCES);
        const isNew =
          then === 'reboot'
            ? step === 'confirmed'
            : ['committed', 'recorded', 'confirmed'].includes(step);
        expect(await inForce()).toEqual([org1.digest, isNew ? team2.digest : team1.digest]);
        if (isNew && step !== 'confirmed') {
          host.clock.advance(60_000);
          await expect.poll(() => inForce()).toEqual([org1.digest, team1.digest]);
        }
        await enforce(again, org2);
        expect((await inForce())[0]).toBe(org2.digest);
        expect(expectOk(await again.status('team')).highestSeen).toBe(step === 'verified' ? 1 : 2);
      });
    }
  }

  it('while a source is removed, and can remove it again', async () => {
    for (const step of ['announced', 'filled', 'read-back', 'committed', 'recorded'] as const) {
      await startBoth();
      const without = await host.start();
      host.crashAt = step;
      await expect(without.removeSource('team', 'root')).rejects.toThrow(Crash);
      const again = await host.start();
      expect((await inForce())[0], step).toBe(org1.digest);
      expectOk(await again.removeSource('team', 'root'));
      expect(await inForce(), step).toEqual([org1.digest]);
      host.remove();
      host = new TestHost(trust());
    }
  });
});
