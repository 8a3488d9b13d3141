// Break-glass in the kernel: what it lets through, what it does not, and that it ends. The real object
// through the addon; who may ask for it is the enforcer's part, test/vm/break-glass.test.ts.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const FOLDER = '/opt/glass';
const FILES = {
  'warder.node': '../../build/native/warder.node',
  'warder.bpf.o': '../../bpf/build/warder.bpf.o',
  'glass-steps.mjs': './glass-steps.mjs',
} as const;
const LEFT_MS = 4000;
/** How long the guest sleeps: longer than what is left, which is longer than it takes to fall asleep. */
const ASLEEP_S = 20;
const LEFT_ASLEEP_MS = 15_000;
const TOKEN = 'feed';

interface Noted {
  readonly outcome: readonly string[];
  readonly events: readonly string[];
}

let guest: Guest;
let found: Readonly<Record<string, Noted>> & {
  readonly totals: { readonly let: number; readonly accounted: boolean };
};

const step = (...args: string[]) =>
  guest.run(
    [
      'node',
      `${FOLDER}/glass-steps.mjs`,
      `${FOLDER}/warder.node`,
      `${FOLDER}/warder.bpf.o`,
      ...args,
    ],
    { timeoutMs: 180_000 },
  );
const open = async () =>
  (await guest.run(['op', 'open-read', '/tmp/glass/one'])).stdout.trim().split(' ').at(-1);
const bootSeconds = async () => Number((await guest.sh('cat /proc/uptime')).stdout.split(' ')[0]);
/** Of the clock that stands still while the machine sleeps. */
const awakeSeconds = async () =>
  Number((await guest.sh("sed -n 's/^now at //p' /proc/timer_list")).stdout.split(' ')[0]) / 1e9;

beforeAll(async () => {
  guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  for (const [name, source] of Object.entries(FILES)) {
    await guest.put(
      `${FOLDER}/${name}`,
      readFileSync(fileURLToPath(new URL(source, import.meta.url))),
    );
  }
  const ran = await step('judge');
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  found = JSON.parse(ran.stdout) as typeof found;
});

afterAll(async () => {
  await guest?.stop();
});

describe('break-glass in the kernel', () => {
  it.each([
    [
      'without',
      ['EACCES', 'EACCES', 'EACCES'],
      ['deny rule 0 0', 'deny rule 1 0', 'deny rule 0 0'],
    ],
    [
      'one rule',
      ['OK', 'EACCES', 'EACCES'],
      [`let rule 0 ${TOKEN}`, 'deny rule 1 0', 'deny rule 1 0'],
    ],
    [
      'two rules',
      ['OK', 'OK', 'OK'],
      [`let rule 0 ${TOKEN}`, `let rule 1 ${TOKEN}`, `let rule 0 ${TOKEN}`],
    ],
    [
      'another generation',
      ['EACCES', 'EACCES', 'EACCES'],
      ['deny rule 0 0', 'deny rule 1 0', 'deny rule 0 0'],
    ],
    [
      'an end that has come',
      ['EACCES', 'EACCES', 'EACCES'],
      ['deny rule 0 0', 'deny rule 1 0', 'deny rule 0 0'],
    ],
    [
      'taken away',
      ['EACCES', 'EACCES', 'EACCES'],
      ['deny rule 0 0', 'deny rule 1 0', 'deny rule 0 0'],
    ],
    ['outside of the group', ['EACCES', 'EACCES'], ['deny rule 0 0', 'deny rule 0 0']],
    ['in the group', ['OK', 'OK'], [`let rule 0 ${TOKEN}`, `let rule 0 ${TOKEN}`]],
    ['a move that is carried', ['OK', 'OK'], []],
    ['a move to where the rule is relaxed', ['EACCES'], ['deny refer 2 0']],
    ['a move out of it', ['OK', 'EACCES'], ['deny refer 2 0']],
  ])('%s: one event for each, by the rule that stands', (name, outcome, events) => {
    expect(found[name]).toEqual({ outcome, events });
  });

  it('counts what it let through', () => {
    expect(found.totals).toEqual({ let: 6, accounted: true });
  });
});

describe('the end of break-glass', () => {
  it('case 104: comes while no process of Warder lives', async () => {
    expect(await step('leave', String(LEFT_MS))).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await open()).toBe('OK');
    // The passing of time is the case.
    await guest.run(['sleep', String(LEFT_MS / 1000)]);
    expect(await open()).toBe('EACCES');
  });

  it('case 101: is not moved by a clock that is set', async () => {
    expect(await step('leave', String(LEFT_MS))).toMatchObject({ exitCode: 0, stderr: '' });
    const began = await bootSeconds();
    expect((await guest.sh('date -s 2001-01-01')).exitCode).toBe(0);
    expect(await open()).toBe('OK');
    expect((await guest.sh('date -s 2037-01-01')).exitCode).toBe(0);
    const after = await open();
    // Only a machine that took longer than the time itself may find it ended.
    if ((await bootSeconds()) - began < LEFT_MS / 1000 - 1) expect(after).toBe('OK');
    await guest.sh('date -s 2001-01-01');
    await guest.run(['sleep', String(LEFT_MS / 1000)]);
    expect(await open()).toBe('EACCES');
  });

  it('case 101: comes while the machine sleeps', async () => {
    expect(await step('leave', String(LEFT_ASLEEP_MS))).toMatchObject({ exitCode: 0, stderr: '' });
    const began = { boot: await bootSeconds(), awake: await awakeSeconds() };
    expect(await open()).toBe('OK');
    const asleep = await guest.sh(
      `echo +${ASLEEP_S} > /sys/class/rtc/rtc0/wakealarm && echo mem > /sys/power/state`,
      { timeoutMs: 180_000 },
    );
    expect(asleep).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await open()).toBe('EACCES');
    const spent = { boot: await bootSeconds(), awake: await awakeSeconds() };
    // It really slept: a program that asked the other clock would still let through.
    expect(spent.boot - began.boot).toBeGreaterThan(LEFT_ASLEEP_MS / 1000);
    expect(spent.awake - began.awake).toBeLessThan(LEFT_ASLEEP_MS / 1000);
  });
});
