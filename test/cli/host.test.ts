// What an operator reads: status in every state, events, explanations, and commands that change what is
// enforced, over an enforcer with fixed answers. The texts are in cases/.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { EnforcerStatus, SourceStatus } from '../../src/core/enforcement.ts';
import type { ChannelHead } from '../../src/core/head.ts';
import { err, failure, ok } from '../../src/core/result.ts';
import type { AgentStatus } from '../../src/core/status.ts';
import type { EnforcerPort } from '../../src/ports.ts';
import { documentOf, expectCase, run, type Surroundings } from '../support/cli.ts';
import {
  AGENT,
  AUDITED,
  BASELINE,
  BUNDLE,
  condition,
  DENIED,
  DISPROVEN,
  ENFORCED,
  enforcerAnswering,
  enforcerDown,
  FAILED,
  HELD,
  PROVEN,
  STATUS,
  UNANSWERED,
} from '../support/enforcer-answers.ts';

const over = (port: EnforcerPort, agent: AgentStatus | null = AGENT): Surroundings => ({
  services: { enforcer: () => port, agentStatus: async () => ok(agent) },
});
const withStatus = (change: Partial<EnforcerStatus>, agent: AgentStatus | null = AGENT) =>
  over(enforcerAnswering({ status: async () => ok({ ...STATUS, ...change }) }), agent);

const REFUSED: AgentStatus = {
  ...AGENT,
  conditions: [
    condition('Ready', 'True', 'Enforcing'),
    condition('FetchFailed', 'True', 'fetch/timeout', 'the registry took over 60000 ms'),
    condition('Stale', 'True', 'Expired', 'the enforced bundle expired; it stays in force'),
  ],
  lastRefusal: {
    digest: BUNDLE.digest,
    version: BUNDLE.version,
    stage: 'verify',
    at: '2026-01-10T11:00:00Z',
    failures: [failure('verify/key-unknown', 'x'), failure('verify/threshold-not-met', 'y')],
  },
};

const MIRRORED: AgentStatus = {
  ...AGENT,
  places: [
    {
      place: 'registry.example.com/policies/web',
      state: 'refused',
      code: 'verify/rollback',
      at: '2026-01-10T11:00:00Z',
    },
    {
      place: 'mirror.example.com/policies/web',
      state: 'answered',
      code: null,
      at: '2026-01-10T11:00:05Z',
    },
    { place: 'oci-layout:/srv/bundles', state: 'unasked', code: null, at: null },
  ],
};

const HEAD: ChannelHead = {
  repository: BUNDLE.repository,
  channel: BUNDLE.channel,
  version: BUNDLE.version,
  digest: BUNDLE.digest,
  sequence: 1_768_042_800,
  issuedAt: '2026-01-10T11:00:00Z',
  expires: '2026-01-12T11:00:00Z',
};

const TEAM: SourceStatus = {
  name: 'team',
  repository: 'registry.example.com/team/policies',
  channel: 'prod',
  isConfigured: true,
  enforced: {
    ...ENFORCED,
    bundle: { ...BUNDLE, repository: 'registry.example.com/team/policies' },
  },
  lastKnownGood: BUNDLE,
  highestSeen: BUNDLE.version,
  hold: null,
  head: null,
};

const HELD_OUT = {
  digest: BUNDLE.digest,
  by: 'alice (uid 0)',
  reason: 'it hurts',
  at: '2026-01-10T11:00:00Z',
};

const INCOMPLETE = failure('restore/incomplete', '/mnt/data and 1 more cannot be resolved now');
const ALERT = failure('state/lost', 'both copies of the version floor are gone');

describe('warder status', () => {
  it.each<[string, number, Surroundings]>([
    ['enforcing', 0, withStatus({})],
    ['no-agent', 0, withStatus({}, null)],
    ['adopted', 0, withStatus({ adopted: true })],
    ['refused-before', 0, withStatus({}, REFUSED)],
    ['mirrors', 0, withStatus({}, MIRRORED)],
    ['head-fresh', 0, withStatus({ head: { state: 'fresh', maxAgeMs: 86_400_000, last: HEAD } })],
    ['head-stale', 0, withStatus({ head: { state: 'stale', maxAgeMs: 3_600_000, last: HEAD } })],
    ['head-none', 0, withStatus({ head: { state: 'none', maxAgeMs: 5_400_000, last: null } })],
    ['alerts', 0, withStatus({ alerts: [ALERT], demoted: ['boot/kernels'] })],
    ['left-out', 20, withStatus({ alerts: [INCOMPLETE], leftOut: ['/mnt/data', '/run/app'] })],
    ['sources', 0, withStatus({ sources: [TEAM] })],
    [
      'sources-troubled',
      20,
      withStatus({
        sources: [
          { ...TEAM, hold: { ...HELD_OUT, version: BUNDLE.version }, isConfigured: false },
          {
            ...{ ...TEAM, name: 'new', enforced: BASELINE, lastKnownGood: null, highestSeen: null },
            head: { state: 'none', maxAgeMs: 5_400_000, last: null },
          },
        ],
      }),
    ],
    ['unproven', 17, withStatus({ canary: null, proof: null })],
    [
      'unconfirmed',
      17,
      withStatus({
        canary: null,
        proof: null,
        enforced: { ...ENFORCED, generation: 13, confirmed: false },
      }),
    ],
    ['canary-failed', 17, withStatus({ canary: FAILED, proof: DISPROVEN })],
    ['no-answer', 17, withStatus({ proof: UNANSWERED })],
    ['stale', 17, withStatus({ proof: { ...PROVEN, ageMs: 121_000 } })],
    ['lost', 17, withStatus({ enforced: { kind: 'nothing' }, proof: DISPROVEN })],
    [
      'baseline',
      20,
      withStatus({
        enforced: BASELINE,
        canary: { ...FAILED, healthy: true, generation: 1, results: FAILED.results.slice(0, 1) },
        proof: { ...PROVEN, generation: 1 },
        highestSeen: null,
      }),
    ],
    ['held', 20, withStatus(HELD)],
    [
      'nothing',
      17,
      withStatus({
        enforced: { kind: 'nothing' },
        canary: null,
        proof: null,
        hooks: [],
        highestSeen: null,
      }),
    ],
    ['enforcer-down', 17, over(enforcerDown())],
  ])('says what is enforced: %s', async (name, exit, around) => {
    expect((await expectCase(`status-${name}`, ['status'], around)).exit).toBe(exit);
    const json = await run(['status', '--output', 'json'], around);
    expect(json).toMatchObject({ exit, stderr: '' });
    expect(documentOf(json)).toMatchObject({ kind: 'Status', ok: exit === 0 });
  });

  it.each([
    ['of an older generation', { generation: 11 }, 'unproven'],
    ['of no known generation', { generation: null }, 'unproven'],
    ['older than two periods', { ageMs: 120_001 }, 'unknown'],
    ['without an answer', { state: 'unknown' }, 'unknown'],
    ['that failed, however old', { state: 'disproven', ageMs: 120_001 }, 'no'],
  ] as const)('never calls a proof %s a proof', async (_, change, enforcing) => {
    const around = withStatus({ proof: { ...PROVEN, ...change } });
    const json = await run(['status', '-o', 'json'], around);
    expect(documentOf(json)).toMatchObject({ enforcing, exit: 17 });
  });

  it('says that the status of the agent is unreadable', async () => {
    const broken = err(failure('state/corrupt', "the agent's status is not JSON"));
    const services = { enforcer: () => enforcerAnswering(), agentStatus: async () => broken };
    await expectCase('status-agent-corrupt', ['status'], { services });
  });

  it('prints the whole document for machines', async () => {
    await expectCase('status-json', ['status', '--output', 'json'], withStatus({}));
  });
});

describe('warder events', () => {
  it('lists the newest events, the newest last', async () => {
    await expectCase('events', ['events'], over(enforcerAnswering()));
    await expectCase(
      'events-limit-json',
      ['events', '-n', '1', '-o', 'json'],
      over(enforcerAnswering()),
    );
  });

  it('says that there are none', async () => {
    await expectCase(
      'events-none',
      ['events'],
      over(enforcerAnswering({ events: async () => ok([]) })),
    );
  });

  it('follows in lines for people and in documents for machines', async () => {
    await expectCase('events-follow', ['events', '--follow'], over(enforcerAnswering()));
    const json = await run(['events', '--follow', '-o', 'json'], over(enforcerAnswering()));
    const kinds = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).kind);
    expect(kinds).toEqual(['Event', 'Event', 'EventsEnd']);
  });

  it('ends when the enforcer goes away while following', async () => {
    const printed = await expectCase('events-follow-down', ['events', '-f'], over(enforcerDown()));
    expect(printed.exit).toBe(17);
  });
});

describe('warder explain', () => {
  it.each([
    ['deny', DENIED],
    ['audit', AUDITED],
    [
      'path-cut-exe-gone',
      {
        ...DENIED,
        object: { ...DENIED.object, pathCut: true },
        process: { ...DENIED.process, exe: null },
      },
    ],
    [
      'refer',
      { ...DENIED, reason: 'refer' as const, operation: 'rename' as const, hook: 'inode_rename' },
    ],
    [
      'incomplete',
      {
        ...DENIED,
        reason: 'incomplete' as const,
        rule: null,
        ruleReason: null,
        mode: null,
        origin: null,
      },
    ],
    [
      'self',
      {
        ...DENIED,
        reason: 'self' as const,
        operation: null,
        hook: 'task_prctl',
        rule: null,
        ruleReason: null,
        mode: null,
        origin: null,
      },
    ],
    [
      'baseline',
      {
        ...DENIED,
        rule: 'warder-baseline/store',
        ruleReason: "Warder's own state.",
        bundle: null,
        origin: null,
      },
    ],
  ])('tells the whole chain: %s', async (name, event) => {
    const port = enforcerAnswering({ events: async () => ok([event]) });
    await expectCase(`explain-${name}`, ['explain', 'last'], over(port));
    const json = await run(['explain', 'last', '-o', 'json'], over(port));
    expect(documentOf(json)).toMatchObject({
      kind: 'Explanation',
      ok: true,
      event: { id: event.id },
    });
  });

  it('names the record by which the source of the rule was admitted', async () => {
    const record = BUNDLE.digest;
    const port = enforcerAnswering({
      events: async () => ok([{ ...DENIED, rule: 'team:ours/first' }]),
      status: async (source) => ok({ ...STATUS, record: source === 'team' ? record : null }),
    });
    const json = await run(['explain', 'last', '-o', 'json'], over(port));
    expect(documentOf(json)).toMatchObject({ ok: true, record });
  });

  it('finds an event by its id', async () => {
    const json = await run(['explain', AUDITED.id, '-o', 'json'], over(enforcerAnswering()));
    expect(documentOf(json)).toMatchObject({ ok: true, event: { id: AUDITED.id } });
  });

  it('says which event is not there, and what is enforced', async () => {
    await expectCase('explain-unknown', ['explain', '1f0c9a2e-1-0-99'], over(enforcerAnswering()));
    const none = enforcerAnswering({ events: async () => ok([]) });
    await expectCase('explain-nothing-yet', ['explain', 'last'], over(none));
  });
});

describe('commands that change what is enforced', () => {
  it.each([
    ['rollback', ['rollback', '--reason', 'v7 breaks the backup']],
    ['resume', ['resume']],
    ['disable', ['disable', '--yes', '--reason', 'reinstalling this host']],
  ])('%s says what is enforced afterwards', async (name, argv) => {
    await expectCase(name, argv, over(enforcerAnswering()));
    const json = await run([...argv, '-o', 'json'], over(enforcerAnswering()));
    expect(documentOf(json)).toMatchObject({ ok: true, enforced: {} });
  });

  it('a source is removed by name, with --yes alone', async () => {
    const asked: unknown[] = [];
    const port = enforcerAnswering({
      removeSource: async (...args) => {
        asked.push(args);
        return ok(ENFORCED);
      },
    });
    const without = await expectCase(
      'source-remove-without-yes',
      ['source', 'remove', 'team'],
      over(port),
    );
    expect([without.exit, asked]).toEqual([2, []]);
    await expectCase('source-remove', ['source', 'remove', 'team', '--yes'], over(port));
    expect(asked).toEqual([['team', 'operator']]);
  });

  it('one source is looked at, and rolled back, by its name', async () => {
    const asked: unknown[] = [];
    const note =
      <T>(answer: T) =>
      async (...args: readonly unknown[]) => {
        asked.push(args);
        return ok(answer);
      };
    const port = enforcerAnswering({ status: note(STATUS), rollback: note(HELD.enforced) });
    const files: string[] = [];
    const around: Surroundings = {
      services: {
        enforcer: () => port,
        agentStatus: async (file) => {
          files.push(file);
          return ok(AGENT);
        },
      },
    };
    await run(['status', '--source', 'team'], around);
    await run(['status'], around);
    await run(['rollback', '--reason', 'x', '--source', 'team'], around);
    expect(asked).toEqual([['team'], [undefined], ['operator', 'x', 'team']]);
    expect(files).toEqual(['/run/warder/agent-team/status.json', '/run/warder/agent/status.json']);
  });

  it('disable without --yes changes nothing', async () => {
    let asked = false;
    const disable: EnforcerPort['disable'] = async () => {
      asked = true;
      return ok({ kind: 'nothing' });
    };
    const around = over(enforcerAnswering({ disable }));
    await expectCase('disable-without-yes', ['disable', '--reason', 'x'], around);
    expect(asked).toBe(false);
  });

  it('passes on who asked and why', async () => {
    const asked: string[] = [];
    const rollback: EnforcerPort['rollback'] = async (by, reason) => {
      asked.push(by, reason);
      return ok(HELD.enforced);
    };
    await run(['rollback', '--reason', 'because'], over(enforcerAnswering({ rollback })));
    expect(asked).toEqual(['operator', 'because']);
  });

  it('a refusal tells what is still enforced', async () => {
    const no = err(
      failure('host/enforcer-denied', 'rollback is not for this user', {
        causes: ["the peer's role is reader"],
        hints: ['run as root'],
      }),
    );
    const around = over(enforcerAnswering({ rollback: async () => no }));
    await expectCase('rollback-denied', ['rollback', '--reason', 'x'], around);
    const json = await run(['rollback', '--reason', 'x', '--output=json'], around);
    expect(documentOf(json)).toMatchObject({ ok: false, stillEnforcing: expect.any(String) });
  });

  it('an enforcer that is down is said to be unknown, not enforcing', async () => {
    await expectCase('rollback-down', ['rollback', '--reason', 'x'], over(enforcerDown()));
  });
});
