// One host through its life: descriptors older than a rule, generations that come and go, processes that
// are stopped, doubled, killed and replaced, pins that somebody tampers with, and a power cut. The tests
// are one story and run in its order: a boot takes a minute, and most of a life is what came before.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { append, watch } from '../../packaging/demo/attempts.ts';
import type { GuestProcess } from '../support/guest/process.ts';
import { addSource } from '../support/lab/configuration.ts';
import { KEEPER, type Lab, NAMES, startLab, TEAM } from '../support/lab/lab.ts';
import { disableGuest, orderFor } from '../support/lab/orders.ts';
import type { Publication } from '../support/lab/origin.ts';
import {
  ALICE,
  attempt,
  FILES,
  type Holder,
  hold,
  INSTALL,
  MALLORY,
  open,
  TEAM_VERSION,
  VERSION_1,
  VERSION_2,
} from './lifecycle.ts';

const AGENT_UID = 990;
const STATE_DIR = '/disk/warder';
const ENFORCER = ['warder-enforcer', '--config', '/etc/warder/enforcer.yaml'] as const;
const ENFORCER_OTHER = ['warder-enforcer', '--config', '/etc/warder/other.yaml'] as const;
const AGENT = ['warder', 'agent', '--config', '/etc/warder/agent.yaml'] as const;
const FLOOD = 3000;
/** As long as a lease or a watchdog would take to give up; there is neither. */
const UNWATCHED_S = 30;

/** What a process or a descriptor may do that is older than the rule: id, attempt, file, outcome. */
const HELD = [
  ['47', 'reads through an old descriptor', 'held-read', FILES.held, 'OK'],
  ['48', 'writes through an old descriptor', 'held-write', FILES.held, 'OK'],
  ['49', 'reads through one inherited over fork', 'held-fork', FILES.held, 'OK'],
  ['50', 'reads through one passed by SCM_RIGHTS', 'held-pass', FILES.held, 'OK'],
  ['52', 'reads through one duplicated across exec', 'held-exec', FILES.held, 'OK'],
  ['53', 'sends from an old descriptor', 'held-sendfile', FILES.held, 'OK'],
  ['57', 'reads by a ring that has it registered', 'held-registered', FILES.held, 'OK'],
  ['55', 'reads an old shared mapping', 'held-mapping', FILES.held, 'OK'],
  ['47', 'maps an old descriptor anew', 'held-map', FILES.held, 'EACCES'],
  ['56', 'makes an old mapping executable', 'held-protect-exec', FILES.program, 'EACCES'],
  ['59', 'truncates through an old descriptor', 'held-truncate', FILES.held, 'EACCES'],
  ['47', 'reads, and the rule lists use', 'held-read', FILES.used, 'EACCES'],
  ['48', 'writes, and the rule lists use', 'held-write', FILES.used, 'EACCES'],
  ['49', 'reads after fork, and the rule lists use', 'held-fork', FILES.used, 'EACCES'],
  ['50', 'reads what was passed, and the rule lists use', 'held-pass', FILES.used, 'EACCES'],
  ['52', 'reads across exec, and the rule lists use', 'held-exec', FILES.used, 'EACCES'],
  ['53', 'sends, and the rule lists use', 'held-sendfile', FILES.used, 'EACCES'],
  ['57', 'reads by a ring, and the rule lists use', 'held-registered', FILES.used, 'EACCES'],
  ['55', 'reads an old mapping, and the rule lists use', 'held-mapping', FILES.used, 'OK'],
  ['59', 'truncates, and the rule lists use', 'held-truncate', FILES.used, 'EACCES'],
] as const;

let lab: Lab;
let first: Publication;
let second: Publication;
const holders = new Map<string, Holder>();
let survivor: Holder;

const guest = () => lab.host.guest;
// After disable, resume loads and verifies every program again: the longest command there is.
const COMMAND_TIMEOUT_MS = 180_000;
const warder = (...args: string[]) =>
  guest().run(['warder', ...args, '-o', 'json'], { timeoutMs: COMMAND_TIMEOUT_MS });
const activated = (of: Publication) =>
  lab.host.waitUntil(
    `v${of.version} is activated`,
    ({ lastOutcome }) => lastOutcome?.kind === 'activated' && lastOutcome.digest === of.digest,
  );
const stateOf = async (hook: string) =>
  (await lab.host.status()).enforcer?.hooks.find((it) => it.hook === hook)?.state;
const builds = async () => (await guest().sh('ls /sys/fs/bpf/warder')).stdout.trim().split('\n');

beforeAll(async () => {
  lab = await startLab({ install: INSTALL, stateDir: STATE_DIR });
  for (const [, title, name, file] of HELD) holders.set(title, await hold(guest(), [name, file]));
  first = await lab.origin.push(VERSION_1, 'Protect what is held');
  await activated(first);
});

afterAll(async () => {
  await lab?.stop();
});

describe('what is older than its rule', () => {
  it.each(HELD)('case %s: %s', async (_id, title, _name, _file, outcome) => {
    expect(await holders.get(title)?.act()).toBe(outcome);
  });

  it('cannot be opened again', async () => {
    expect(await open(guest(), FILES.held)).toBe('EACCES');
  });
});

describe('exemptions', () => {
  it('case 118: hold for the uid that they name and for no other', async () => {
    const by = async (uid: number) =>
      (await attempt(guest(), ['open-read', FILES.shared], { uid })).outcome;
    expect([await by(ALICE), await by(MALLORY), await by(0)]).toEqual(['OK', 'EACCES', 'EACCES']);
  });

  it('case 126: hold for old and new processes of a program that was upgraded by rename', async () => {
    const { exemptProgram, shared } = FILES;
    const old = await hold(guest(), ['wait-open', shared], exemptProgram);
    // For the next generation: it runs what this generation resolved as the program.
    survivor = await hold(guest(), ['wait-open', shared], exemptProgram);
    const upgrade = `cp /usr/local/bin/op ${exemptProgram}.new && mv ${exemptProgram}.new ${exemptProgram}`;
    expect((await guest().sh(upgrade)).exitCode).toBe(0);
    const fresh = await attempt(guest(), ['open-read', shared], { program: exemptProgram });
    expect([await old.act(), fresh.outcome]).toEqual(['OK', 'OK']);
    expect(await open(guest(), shared)).toBe('EACCES');
  });
});

describe('a second process', () => {
  it('case 95: of the enforcer or the agent is refused, and the first goes on', async () => {
    const enforcer = await guest().run(ENFORCER);
    expect(enforcer).toMatchObject({ exitCode: 19 });
    expect(enforcer.stderr).toContain('state/locked');
    const agent = await guest().run(AGENT, { uid: AGENT_UID });
    expect(agent).toMatchObject({ exitCode: 19 });
    expect(agent.stderr).toContain('state/locked');
    const { enforcer: status } = await lab.host.status();
    expect(status?.enforced).toMatchObject({ kind: 'bundle', bundle: { digest: first.digest } });
  });
});

describe('events', () => {
  it('case 100: are counted exactly when nobody reads them, and no decision is lost', async () => {
    const before = (await lab.host.status()).enforcer?.totals;
    await lab.host.signalEnforcer('SIGSTOP');
    const flood = await attempt(guest(), ['open-many', FILES.held, String(FLOOD)]);
    await lab.host.signalEnforcer('SIGCONT');
    expect(flood.outcome).toBe('EACCES');

    const told = (await lab.host.events(FLOOD)).filter((it) => it.process.tgid === flood.pid);
    const { enforcer } = await lab.host.status();
    const after = enforcer?.totals;
    const dropped = (after?.dropped ?? 0) - (before?.dropped ?? 0);
    expect((after?.emitted ?? 0) + (after?.dropped ?? 0)).toBe(after?.sequence);
    expect((after?.sequence ?? 0) - (before?.sequence ?? 0)).toBeGreaterThanOrEqual(FLOOD);
    expect(dropped).toBeGreaterThan(0);
    expect(told.length).toBeGreaterThan(0);
    // What was neither told nor lost was counted: nothing is missing.
    const suppressed = (after?.suppressed ?? 0) - (before?.suppressed ?? 0);
    expect(told.length + suppressed + dropped).toBe(FLOOD);
    expect(enforcer?.alerts.map((it) => it.code)).toContain('host/events-lost');
  });
});

describe('generations', () => {
  it('case 120: a rule that the next one lacks denies nothing any more', async () => {
    expect(await open(guest(), FILES.first)).toBe('EACCES');
    second = await lab.origin.push(VERSION_2, 'Protect another file');
    await activated(second);
    expect(await open(guest(), FILES.first)).toBe('OK');
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });

  it('case 126: keep exempt what is older than an upgrade before them', async () => {
    const fresh = await attempt(guest(), ['open-read', FILES.shared], {
      program: FILES.exemptProgram,
    });
    expect([await survivor.act(), fresh.outcome]).toEqual(['OK', 'OK']);
    expect(await open(guest(), FILES.shared)).toBe('EACCES');
  });

  it('detach the hook of use with the last rule that lists it, and attach it again', async () => {
    expect(await stateOf('file_permission')).toBe('idle');
    expect((await builds()).length).toBe(1);
    const pins = await guest().sh('ls /sys/fs/bpf/warder/*/links');
    expect(pins.stdout).toContain('file_open');
    expect(pins.stdout).not.toContain('file_permission');
  });

  it('come back by rollback, are held there, and go on after resume', async () => {
    expect((await warder('rollback', '--reason', 'a test')).exitCode).toBe(0);
    const held = await lab.host.waitUntil(
      'the agent is held',
      ({ lastOutcome }) => lastOutcome?.kind === 'held' && lastOutcome.digest === second.digest,
    );
    expect(held.hold).toMatchObject({ digest: second.digest, reason: 'a test' });
    expect(await open(guest(), FILES.first)).toBe('EACCES');
    expect(await open(guest(), FILES.second)).toBe('OK');
    expect(await stateOf('file_permission')).toBe('attached');
    expect((await lab.host.status()).enforcer).toMatchObject({ highestSeen: 2 });

    expect((await warder('resume')).exitCode).toBe(0);
    await activated(second);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });

  it('are all gone after disable, also for an enforcer that starts again, until resume', async () => {
    expect((await disableGuest(guest(), KEEPER)).exitCode).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('OK');
    expect(await lab.host.status()).toMatchObject({ enforcing: 'no' });

    await lab.host.signalEnforcer('SIGKILL');
    expect(await lab.host.startEnforcer()).toBe('nothing');
    expect(await open(guest(), FILES.second)).toBe('OK');

    expect((await warder('resume')).exitCode).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    const { enforcing, enforcer } = await lab.host.status();
    expect(enforcing).toBe('yes');
    expect(enforcer?.enforced).toMatchObject({ kind: 'bundle', bundle: { digest: second.digest } });
  });

  it('are proven again by an enforcer that adopted them, without an activation', async () => {
    await lab.host.signalEnforcer('SIGKILL');
    expect(await lab.host.startEnforcer()).toBe('bundle');
    const { enforcing, enforcer } = await lab.host.status();
    expect({ enforcing, adopted: enforcer?.adopted }).toEqual({ enforcing: 'yes', adopted: true });
    expect(enforcer?.proof).toMatchObject({ state: 'proven', periodMs: 60_000 });
  });
});

describe('break-glass', () => {
  const ORDER = '/tmp/order.json';
  const use = () => warder('break-glass', 'use', ORDER);
  interface Told {
    readonly action: string;
    readonly breakGlass: string | null;
  }
  const letThrough = async () => {
    const { stdout } = await warder('events', '--limit', '20');
    const { events } = JSON.parse(stdout) as { readonly events: readonly Told[] };
    return events.findLast(({ action }) => action === 'let');
  };

  it('lets one rule go, says so in events and status, and ends', async () => {
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    await orderFor(guest(), { rules: ['life/second'] }, ORDER, KEEPER);
    expect((await use()).exitCode).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('OK');
    const event = await letThrough();
    expect(event).toMatchObject({ action: 'let', rule: 'life/second', errno: null });
    expect(await open(guest(), FILES.held)).toBe('EACCES');

    const status = await warder('status');
    expect(status.exitCode).toBe(20);
    const { enforcer } = JSON.parse(status.stdout) as {
      enforcer: { breakGlass: { id: string }; totals: { let: number } };
    };
    expect(enforcer.breakGlass.id).toBe(event?.breakGlass);
    expect(enforcer.totals.let).toBeGreaterThan(0);

    expect((await warder('break-glass', 'end')).exitCode).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    expect((await use()).exitCode).toBe(14);
    expect((await warder('status')).exitCode).toBe(0);
  });

  it('is for the processes of one control group, and outlives the enforcer', async () => {
    const inGroup = 'echo $$ > /sys/fs/cgroup/repair/cgroup.procs && exec op open-read';
    await guest().sh('mkdir -p /sys/fs/cgroup/repair');
    await orderFor(guest(), { cgroup: '/repair' }, ORDER, KEEPER);
    expect((await use()).exitCode).toBe(0);
    const repair = async () =>
      (await guest().sh(`${inGroup} ${FILES.second}`)).stdout.trim().split(' ').at(-1);
    expect([await repair(), await open(guest(), FILES.second)]).toEqual(['OK', 'EACCES']);
    await lab.host.signalEnforcer('SIGKILL');
    expect([await repair(), await open(guest(), FILES.second)]).toEqual(['OK', 'EACCES']);
    expect(await lab.host.startEnforcer()).toBe('bundle');
    expect([await repair(), await open(guest(), FILES.second)]).toEqual(['OK', 'EACCES']);
    expect((await warder('break-glass', 'end')).exitCode).toBe(0);
    expect(await repair()).toBe('EACCES');
  });
});

describe('a second source', () => {
  const TRUST = '/etc/warder/trust.yaml';
  const CONFIG = '/etc/warder/enforcer.yaml';
  const TEAM_AGENT = '/etc/warder/agent-team.yaml';
  const DIRS = [`${STATE_DIR}/agent-team`, '/run/warder/agent-team'];
  const read = async (file: string) => (await guest().get(file)).toString();
  const restart = async () => {
    await lab.host.signalEnforcer('SIGKILL');
    return lab.host.startEnforcer();
  };
  let before: { readonly trust: string; readonly enforcer: string; readonly agent: string };
  let published: Publication;
  let agent: GuestProcess;

  it('is admitted beside the first by its own signer, and both are enforced', async () => {
    before = {
      trust: await read(TRUST),
      enforcer: await read(CONFIG),
      agent: await read('/etc/warder/agent.yaml'),
    };
    const { origin, key } = await lab.makeTeam();
    const files = addSource(before, { ...TEAM, publicKeyPem: key.publicKeyPem });
    await guest().put(TRUST, files.trust);
    await guest().put(CONFIG, files.enforcer);
    await guest().put(TEAM_AGENT, files.agent);
    for (const dir of DIRS) {
      expect(
        (await guest().sh(`mkdir -p ${dir}; chown ${AGENT_UID}:${AGENT_UID} ${dir}`)).exitCode,
      ).toBe(0);
    }
    expect(await restart()).toBe('bundle');
    published = await origin.push(TEAM_VERSION, 'Protect what is ours');
    agent = await guest().spawn(['warder', 'agent', '--config', TEAM_AGENT], { uid: AGENT_UID });
    await agent.waitFor(/candidate enforced/, COMMAND_TIMEOUT_MS);
    const { enforcing, enforcer } = await lab.host.status();
    expect(enforcing).toBe('yes');
    expect(enforcer?.enforced).toMatchObject({ bundle: { digest: second.digest } });
    expect(enforcer?.sources).toMatchObject([
      { name: TEAM.name, enforced: { kind: 'bundle', bundle: { digest: published.digest } } },
    ]);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });

  it('has denials of its own, told with its own line in Git and its own signer', async () => {
    const { pid, outcome } = await attempt(guest(), ['open-read', FILES.first]);
    expect(outcome).toBe('EACCES');
    const event = (await lab.host.events(20)).findLast((it) => it.process.tgid === pid);
    expect(event).toMatchObject({ action: 'deny', rule: 'team:ours/first' });
    const told = await lab.host.explain(event?.id ?? '');
    expect(told).toContain(`commit ${published.commit.slice(0, 12)} of ${TEAM.source}`);
    expect(told).toMatch(/policies\/ours\.yaml:\d+/);
    expect(told).toContain(`of ${TEAM.repository}, channel ${TEAM.channel}`);
    expect(told).toMatch(new RegExp(`signed by +${TEAM.keyId} `));
    expect(told).not.toContain(NAMES.keyId);
    expect(told).toMatch(/^ *admitted by +record sha256:/m);
  });

  it('ends by two acts, and the first goes on', async () => {
    await agent.kill('SIGKILL');
    await agent.done;
    await guest().put(CONFIG, before.enforcer);
    expect(await restart()).toBe('bundle');
    expect(await open(guest(), FILES.first)).toBe('EACCES');
    expect((await warder('source', 'remove', TEAM.name, '--yes')).exitCode).toBe(0);
    expect(await open(guest(), FILES.first)).toBe('OK');
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });
});

describe('without a process of Warder', () => {
  it('case 94: everything stays denied, however long', async () => {
    expect(await lab.host.killAll()).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    // The passing of time is the case.
    await guest().run(['sleep', String(UNWATCHED_S)]);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    expect(await append(guest(), FILES.second)).toBe(false);
  });

  it('case 92: pins of another build are replaced without a gap', async () => {
    const before = await builds();
    // A byte behind the end of an ELF file changes nothing but the name of the build.
    await guest().sh(
      `cp /opt/warder/warder.bpf.o ${STATE_DIR}/other.bpf.o && echo >> ${STATE_DIR}/other.bpf.o
       cp /etc/warder/enforcer.yaml /etc/warder/other.yaml
       echo 'object: ${STATE_DIR}/other.bpf.o' >> /etc/warder/other.yaml`,
    );
    const watcher = await watch(guest(), FILES.second);
    expect(await lab.host.startEnforcer('other.yaml')).toBe('bundle');
    const { attempts, allowed } = await watcher.stop();
    expect(attempts).toBeGreaterThan(1);
    expect(allowed).toBe(0);
    const after = await builds();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
    const { enforcing, enforcer } = await lab.host.status();
    expect(enforcing).toBe('yes');
    expect(enforcer).toMatchObject({ adopted: false, enforced: { kind: 'bundle' } });
  });
});

describe('pins that somebody tampered with', () => {
  it('case 93, C05: an empty map under an expected name is told, and what is enforced stays', async () => {
    await lab.host.signalEnforcer('SIGKILL');
    // Of the right type and flags, so that only the programs can tell the difference.
    const forged = await guest().sh(
      `set -e; cd /sys/fs/bpf; maps=$(echo warder/*/maps)
       bpftool map create header type array key 4 value 2360 entries 1 name header flags 128
       rm $maps/committed
       bpftool map create $maps/committed type array_of_maps key 4 value 4 entries 1 \
         name committed inner_map pinned /sys/fs/bpf/header`,
    );
    expect(forged).toMatchObject({ exitCode: 0, stderr: '' });
    const { exitCode, stderr } = await guest().run(ENFORCER_OTHER);
    expect(exitCode).toBe(21);
    expect(stderr).toContain('activate/load-rejected');
    expect(stderr).toContain('committed');
    expect(stderr).toContain('warder-enforcer --repair');
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });

  it('case 93: without any pins, everything is made anew from the evidence', async () => {
    await guest().sh('rm -r /sys/fs/bpf/warder');
    expect(await lab.host.startEnforcer()).toBe('bundle');
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });

  it('case 96: a BPF file system that was unmounted ends nothing, and the next start names it', async () => {
    expect((await guest().run(['umount', '-l', '/sys/fs/bpf'])).exitCode).toBe(0);
    expect(await open(guest(), FILES.second)).toBe('EACCES');
    await lab.host.signalEnforcer('SIGKILL');
    const refused = await guest().run(ENFORCER);
    expect(refused.exitCode).toBe(21);
    expect(refused.stderr).toContain('bpffs');
    await guest().run(['mount', '-t', 'bpf', '-o', 'mode=700', 'bpf', '/sys/fs/bpf']);
    expect(await lab.host.startEnforcer()).toBe('bundle');
    expect(await open(guest(), FILES.second)).toBe('EACCES');
  });
});

describe('after a power cut, without a registry', () => {
  it('L01: the last-known-good is enforced from its evidence, and the floor is kept', async () => {
    await lab.proxy.stop();
    const host = await lab.reboot();
    expect(await open(host.guest, FILES.second)).toBe('OK');
    expect(await host.startEnforcer()).toBe('bundle');
    expect(await open(host.guest, FILES.second)).toBe('EACCES');
    const { enforcing, enforcer } = await host.status();
    expect(enforcing).toBe('yes');
    expect(enforcer).toMatchObject({
      highestSeen: 2,
      enforced: { kind: 'bundle', confirmed: true, bundle: { digest: second.digest } },
      lastKnownGood: { digest: second.digest },
    });

    await host.startAgent();
    const status = await host.waitUntil(
      'the registry does not answer',
      ({ lastOutcome }) => lastOutcome?.kind === 'failed',
    );
    expect(status.lastOutcome?.failures[0]?.code).toBe('fetch/registry-unavailable');
    expect(status.floor).toMatchObject({ highestSeen: 2 });
    expect(status.enforced).toMatchObject({ bundle: { digest: second.digest } });
    expect(await open(host.guest, FILES.second)).toBe('EACCES');
  });
});
