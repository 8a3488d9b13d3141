// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { hostProbes } from './probe.ts';

const node = process.execPath;
const probe = (name: string, script: string, timeoutMs = 10_000) => ({
  name,
  command: [node, '-e', script] as const,
  timeoutMs,
});

test('C09 only exit 0 passes; every other end and every silence is told', async () => {
  const reports = await hostProbes([
    probe('good', ''),
    probe('bad', 'process.stderr.write("\\u001b[31mno"); process.exit(3)'),
    probe('killed', 'process.kill(process.pid, "SIGKILL")'),
    { name: 'absent', command: ['/no/such/program'], timeoutMs: 1000 },
  ]).run();
  expect(reports.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
    'good passed',
    'bad failed',
    'killed failed',
    'absent no-answer',
  ]);
  expect(reports[1]?.detail).toBe('exit 3 \\u001b[31mno');
});

test('C09 a probe that hangs gives no answer at its deadline, and its children end with it', async () => {
  const script = `const { spawn } = require('node:child_process');
    const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
    process.stdout.write(String(child.pid)); setInterval(() => {}, 1000);`;
  const [report] = await hostProbes([probe('hangs', script, 1500)]).run();
  expect(report?.outcome).toBe('no-answer');
  const pid = Number(report?.detail.split(' ').at(-1));
  expect(pid).toBeGreaterThan(1);
  // Killed with its group: gone, or a zombie that nobody waits for yet.
  await expect.poll(() => isRunning(pid)).toBe(false);
});

test('the environment of a probe is small and nothing of ours is in it', async () => {
  const script = `process.exit(Object.keys(process.env).sort().join() === 'LC_ALL,PATH' ? 0 : 1)`;
  const [report] = await hostProbes([probe('environment', script)]).run();
  expect(report).toEqual({ name: 'environment', outcome: 'passed', detail: '' });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readStat(pid));
  } catch {
    return false;
  }
}

function readStat(pid: number): string {
  return process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8');
}
