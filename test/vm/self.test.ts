// Root against Warder itself: each way to take enforcement away, change what it runs on, or pass for the
// enforcer, tried by an ordinary process of root. The enforcer is started by its launcher, as a service
// is, and only the baseline is enforced: nothing here depends on a bundle.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, type Guest } from '../support/guest/guest.ts';
import type { GuestProcess } from '../support/guest/process.ts';
import { writeConfiguration } from '../support/lab/configuration.ts';
import { disableGuest, orderFor } from '../support/lab/orders.ts';
import { makeSigner } from '../support/signed-bundle.ts';

const LAUNCHER = '/usr/local/bin/warder-launcher';
const STATE = '/var/lib/warder/enforcer';
const CONFIG = '/etc/warder/enforcer.yaml';
const TRUST = '/etc/warder/trust.yaml';
const PINS = '/sys/fs/bpf/warder';
const UNIT = '/sys/fs/cgroup/warder-enforcer';
const START_MS = 120_000;
const keeper = makeSigner();
const stranger = makeSigner();
const NOBODY = '99999999-9999-9999-9999-999999999999';
const STORE_RULE = 'warder-baseline/store';

let guest: Guest;
let enforcer: GuestProcess;

const IN_UNIT = `mkdir -p ${UNIT} && echo $$ > ${UNIT}/cgroup.procs && exec ${LAUNCHER}`;

async function start(): Promise<string> {
  // The shell that enters the control group is a child of init, as a service is; init is the agent here.
  enforcer = await guest.spawn(['sh', '-c', IN_UNIT]);
  const started = await enforcer.waitFor(/"enforcing: (\w+)"/, START_MS);
  return started[1] ?? '';
}

const sh = (script: string) => guest.sh(script, { timeoutMs: START_MS });
const op = async (...args: string[]) =>
  (await guest.run(['op', ...args])).stdout.trim().split(' ').at(-1);
const status = async () =>
  JSON.parse((await guest.run(['warder', 'status', '-o', 'json'])).stdout) as {
    readonly enforcer: {
      readonly enforced: { readonly kind: string };
      readonly adopted: boolean;
      readonly selfProtection: { readonly state: string; readonly detail: string };
      readonly hooks: readonly { readonly program: string; readonly state: string }[];
    };
  };
/** The canary directory is denied by the baseline: as long as this is so, enforcement is there. */
const enforced = async () =>
  (await sh('for it in /run/warder/canary/*/file; do op open-read $it; done')).stdout.includes(
    'EACCES',
  );

beforeAll(async () => {
  guest = await bootGuest();
  const files = writeConfiguration({
    repository: 'registry.example.com/policies',
    channel: 'prod',
    source: 'https://git.example.com/policies',
    keyId: 'nobody',
    publicKeyPem: makeSigner().publicKeyPem,
    keeperPem: keeper.publicKeyPem,
    registryPort: 1,
    probes: [],
    stateDir: '/var/lib/warder',
  });
  await sh(`mkdir -p /etc/warder ${STATE} && chmod 700 ${STATE}`);
  await guest.put(CONFIG, files.enforcer);
  await guest.put(TRUST, files.trust);
  await guest.put('/tmp/evil.yaml', files.enforcer.replace(STATE, '/tmp/evil'));
  expect(await start()).toBe('baseline');
});

afterAll(async () => {
  await guest?.stop();
});

describe('an enforcer that its launcher started', () => {
  it('says that it is protected, with every program in place', async () => {
    const { selfProtection, hooks, enforced: what } = (await status()).enforcer;
    expect(selfProtection).toEqual({ state: 'on', detail: '' });
    expect(hooks.filter((it) => it.state === 'rejected')).toEqual([]);
    expect(what.kind).toBe('baseline');
    expect(await enforced()).toBe(true);
  });
});

describe('root cannot take away', () => {
  const DENIED = /Permission denied|EACCES/;

  it.each([
    ['the pins', `rm -rf ${PINS}`],
    ['the folder of pins', `mv ${PINS} /sys/fs/bpf/elsewhere`],
    ['one link', `rm ${PINS}/*/links/file_open`],
    ['the mount of the pins', 'umount /sys/fs/bpf'],
    ['the mount of the pins, lazily', 'umount -l /sys/fs/bpf'],
    ['the store', `mv ${STATE} ${STATE}.elsewhere`],
    ['the configuration', `rm ${CONFIG}`],
    ['the trust policy', `mv /tmp/evil.yaml ${TRUST}`],
    ['the program', 'rm /opt/warder/warder-enforcer.mjs'],
    ['the launcher', `rm ${LAUNCHER}`],
    ['the control group', `rmdir ${UNIT}`],
  ])('%s', async (_what, script) => {
    const tried = await sh(script);
    expect(tried.exitCode).not.toBe(0);
    expect(tried.stderr).toMatch(DENIED);
    expect(await enforced()).toBe(true);
  });
});

describe('root cannot change', () => {
  it.each([
    ['the store', `echo x >> ${STATE}/enforcer.db`],
    ['the configuration', `echo 'selfProtection: off' >> ${CONFIG}`],
    ['the trust policy', `echo x >> ${TRUST}`],
    ['the program', 'echo x >> /opt/warder/warder-enforcer.mjs'],
    ['the addon', 'cp /bin/busybox /opt/warder/warder.node'],
    ['who is in the control group', `echo $$ > ${UNIT}/cgroup.procs`],
    ['whether the control group runs', `echo 1 > ${UNIT}/cgroup.freeze`],
    ['whether the control group lives', `echo 1 > ${UNIT}/cgroup.kill`],
  ])('%s', async (_what, script) => {
    const tried = await sh(script);
    expect(tried.exitCode).not.toBe(0);
    expect(await enforced()).toBe(true);
  });

  it.each([
    ['a link, by detaching it', `bpftool link detach pinned $(echo ${PINS}/*/links/file_open)`],
    [
      'any link, by detaching it by its id',
      'for id in $(seq 1 40); do bpftool link detach id $id && exit 0; done; exit 1',
    ],
    [
      'a pin, by putting another in its place',
      `bpftool map create ${PINS}/mine type array key 4 value 4 entries 1 name mine`,
    ],
    ['the control group, by moving it', `mv ${UNIT} ${UNIT}-elsewhere`],
  ])('nor take the place of %s', async (_what, script) => {
    expect((await sh(script)).exitCode).not.toBe(0);
    expect(await enforced()).toBe(true);
  });

  it('what is enforced, by mounting over the pins', async () => {
    expect((await sh('mount -t tmpfs tmpfs /sys/fs/bpf')).exitCode).toBe(0);
    expect(await enforced()).toBe(true);
    expect((await sh('umount /sys/fs/bpf')).exitCode).toBe(0);
    expect(await enforced()).toBe(true);
  });

  it.each([
    ['a map, by its name', 'bpftool map dump name committed'],
    [
      'a map, by its pin',
      `bpftool map update pinned $(echo ${PINS}/*/maps/self) key 0 0 0 0 value hex 00`,
    ],
    ['a map of a generation', `bpftool map dump pinned $(echo ${PINS}/*/banks/header_0)`],
    ['a program, by its name', 'bpftool prog dump xlated name file_open'],
    ['the store, by reading it', `cat ${STATE}/enforcer.db`],
  ])('nor reach %s', async (_what, script) => {
    const tried = await sh(script);
    expect(tried.exitCode).not.toBe(0);
    expect(`${tried.stdout}${tried.stderr}`).toMatch(/Permission denied|EACCES/i);
  });
});

describe('root cannot get into the process', () => {
  it.each([
    ['trace', [], 'EACCES'],
    ['seize', [], 'EACCES'],
    // These system calls say EPERM for every refusal of an access check.
    ['read-memory', [], 'EPERM'],
    ['write-memory', [], 'EPERM'],
    ['take-descriptor', [], 'EPERM'],
    ['memory', [], 'EACCES'],
    ['signal', ['9'], 'EACCES'],
    ['signal', ['19'], 'EACCES'],
    ['signal', ['15'], 'EACCES'],
  ])('by %s %s', async (attempt, more, outcome) => {
    expect(await op(attempt, String(enforcer.pid), ...more)).toBe(outcome);
  });

  it('but sees that it is there, as anybody does', async () => {
    expect(await op('signal', String(enforcer.pid), '0')).toBe('OK');
    expect((await sh(`cat /proc/${enforcer.pid}/status`)).stdout).toContain('State:');
    expect((await sh(`readlink /proc/${enforcer.pid}/exe`)).stdout).toContain('/node');
  });
});

describe('root cannot pass for the enforcer', () => {
  beforeAll(async () => {
    // Init may end the service, and does not end enforcement by it.
    await enforcer.kill('SIGKILL');
    await enforcer.done;
  });

  const REFUSED = /host\/self-protected|state\/|record\/|EACCES|[Pp]ermission denied/;

  it.each([
    ['by the same program without the launcher', `warder-enforcer --config ${CONFIG}`],
    ['with a configuration of its own', 'warder-enforcer --config /tmp/evil.yaml'],
    [
      'in a mount namespace with another configuration',
      `unshare -m sh -c 'mount --bind /tmp/evil.yaml ${CONFIG} && exec ${LAUNCHER}'`,
    ],
    [
      'in a chroot',
      `mkdir -p /tmp/root && mount --rbind / /tmp/root && chroot /tmp/root ${LAUNCHER}`,
    ],
  ])('%s', async (_what, script) => {
    const tried = await sh(script);
    expect(tried.exitCode).not.toBe(0);
    expect(tried.stderr).toMatch(REFUSED);
    expect(await enforced()).toBe(true);
  });

  it('by tracing the launcher from its first instruction', async () => {
    const tried = await guest.run(['op', 'run-traced', LAUNCHER], { timeoutMs: START_MS });
    // It ends by itself: one that had passed would serve on until its time is up.
    expect(tried.timedOut).toBe(false);
    expect(tried.stdout).not.toMatch(/ OK$/m);
    expect(await enforced()).toBe(true);
  });

  it('while the launcher takes over what is enforced, whatever is in its environment', async () => {
    await sh('umount -l /tmp/root');
    // Init would put it into its control group again; a shell may not.
    enforcer = await guest.spawn([LAUNCHER, '--config', '/tmp/evil.yaml'], {
      env: { NODE_OPTIONS: '--require /tmp/evil.cjs', LD_PRELOAD: '/tmp/evil.so' },
    });
    const started = await enforcer.waitFor(/"enforcing: (\w+)"/, START_MS);
    expect(started[1]).toBe('baseline');
    const { adopted, selfProtection } = (await status()).enforcer;
    expect({ adopted, selfProtection }).toEqual({
      adopted: true,
      selfProtection: { state: 'on', detail: '' },
    });
  });
});

describe('root cannot break the glass alone', () => {
  const use = (file: string) => guest.run(['warder', 'break-glass', 'use', file]);
  const order = '/tmp/order.json';
  const GROUP = { cgroup: '/warder-enforcer' } as const;

  it.each([
    ['signed by a stranger', GROUP, stranger, 'glass/threshold-not-met'],
    ['for another host', { ...GROUP, host: NOBODY }, keeper, 'glass/wrong-host'],
    ['for another boot', { ...GROUP, boot: NOBODY }, keeper, 'glass/wrong-boot'],
    [
      'for a request of another host',
      { ...GROUP, nonce: '0'.repeat(32) },
      keeper,
      'glass/nonce-unknown',
    ],
    ['for longer than is granted', { ...GROUP, minutes: 61 }, keeper, 'glass/over-limit'],
    ['for a rule that protects Warder', { rules: [STORE_RULE] }, keeper, 'glass/rule-protected'],
    ['for a control group that is not there', { cgroup: '/none' }, keeper, 'glass/cgroup-unknown'],
  ])('with an order %s', async (_what, wanted, by, code) => {
    await orderFor(guest, wanted, order, by);
    const used = await use(order);
    expect(used.exitCode).not.toBe(0);
    expect(used.stderr).toContain(code);
  });

  it('by using an order twice, and what it relaxes is nothing of Warder', async () => {
    await orderFor(guest, GROUP, order, keeper);
    expect(await use(order)).toMatchObject({ exitCode: 0 });
    const inGroup = `sh -c 'echo $$ > ${UNIT}/cgroup.procs'; cat ${STATE}/enforcer.db`;
    expect((await sh(inGroup)).stderr).toMatch(/Permission denied/);
    expect(await enforced()).toBe(true);
    expect(await guest.run(['warder', 'break-glass', 'end'])).toMatchObject({ exitCode: 0 });
    expect((await use(order)).stderr).toContain('glass/used');
  });

  it.each([
    [
      'in the kernel',
      `bpftool map update pinned $(echo ${PINS}/*/maps/glass) key 0 0 0 0 value hex 00`,
    ],
    ['in the kernel, by its name', 'bpftool map dump name glass'],
    [
      'on the disk',
      `sqlite3 ${STATE}/enforcer.db 'DELETE FROM break_glass' || echo x >> ${STATE}/enforcer.db`,
    ],
  ])('by changing what was used %s', async (_what, script) => {
    expect((await sh(script)).exitCode).not.toBe(0);
    expect((await use(order)).stderr).toContain('glass/used');
  });
});

describe('what is not Warder stays as it was', () => {
  it('maps, mounts, signals and tracing of others', async () => {
    const other = await sh(
      `set -e
       mount -t bpf bpf /mnt
       bpftool map create /mnt/mine type array key 4 value 4 entries 1 name mine
       bpftool map dump pinned /mnt/mine
       umount /mnt
       sleep 100 & op trace $! && kill -9 $!`,
    );
    expect(other).toMatchObject({ exitCode: 0 });
    expect(other.stdout).toContain('OK');
  });
});

describe('an operator', () => {
  it('ends enforcement by warder disable, and may then take everything away', async () => {
    const unsigned = await guest.run(['warder', 'disable', '--yes', '--reason', 'a test']);
    expect(unsigned).toMatchObject({ exitCode: 12 });
    expect(unsigned.stderr).toContain('glass/unsigned');
    expect(await enforced()).toBe(true);
    expect(await disableGuest(guest, keeper)).toMatchObject({ exitCode: 0 });
    expect(await enforced()).toBe(false);
    const removed = await sh(`rm -r ${STATE} ${CONFIG} ${TRUST}; umount /sys/fs/bpf`);
    expect(removed).toMatchObject({ exitCode: 0 });
  });
});
