// The store cut at every write, rename, sync and truncation: the process dies there, or the disk is
// full there, or broken there. What was answered must be there afterwards; what was not may be; the
// floor is never below what was answered; nothing is damaged.
//
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/adapters/disk/store.ts';
import { admittedBundle } from '../support/store.ts';

let root: string;
let shim: string;

beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'warder-cut-'));
  shim = join(root, 'shim.so');
  const source = join(import.meta.dirname, 'shim.c');
  const cc = spawnSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', shim, source]);
  if (cc.status !== 0) throw new Error(`${cc.stderr}`);
});
afterAll(() => fs.rmSync(root, { recursive: true }));

type Mode = 'die' | 'enospc' | 'eio';

/** One run of the script: which call was cut, and what was answered. */
interface Cut {
  readonly at: number;
  readonly lines: readonly string[];
}

/** Runs the script from the `first` fault on; answers its runs and how many faults fired. */
function runCuts(mode: Mode, first: number): { readonly cuts: Cut[]; readonly fired: number } {
  const marks = join(root, 'marks');
  const fd = fs.openSync(marks, 'w');
  const script = fileURLToPath(new URL('./cut-child.ts', import.meta.url));
  const child = spawnSync(process.execPath, [script, root, mode, `${first}`], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
    env: { LD_PRELOAD: shim, WARDER_CUT_MODE: mode },
  });
  fs.closeSync(fd);
  if (child.status !== 0 && child.status !== 77) throw new Error(`${first}: ${child.stderr}`);
  const fired = fs.readFileSync(marks, 'utf8').length / 'fired'.length;
  const [, ...runs] = `${child.stdout}`.split('run ');
  return {
    fired,
    cuts: runs.map((run) => {
      const [at, ...lines] = run.split('\n');
      return { at: Number(at), lines };
    }),
  };
}

/** The highest version of which this was answered. */
function last(lines: readonly string[], what: string): number {
  return Math.max(
    0,
    ...lines.flatMap((line) => (line.startsWith(`${what} `) ? [Number(line.split(' ')[1])] : [])),
  );
}

async function check(folder: string, cut: Cut): Promise<void> {
  const opened = openStore({ folder, keepPrevious: 0, onLostState: 'refuse' });
  if (!opened.ok) throw new Error(opened.error.message);
  try {
    const loaded = await opened.value.load();
    if (!loaded.ok) throw new Error(`${loaded.error.code} ${loaded.error.message}`);
    const { floor, active, generations } = loaded.value;
    const raised = last(cut.lines, 'raised');
    const committed = last(cut.lines, 'committed');
    expect(floor?.highestSeen ?? 0).toBeGreaterThanOrEqual(raised);
    const activeVersion = generations.find((it) => it.digest === active)?.version ?? 0;
    expect(activeVersion).toBeGreaterThanOrEqual(committed);
    // The floor was raised before anything was kept, and what is active was admitted.
    for (const { version } of generations)
      expect(version).toBeLessThanOrEqual(floor?.highestSeen ?? 0);
    for (const number of new Set([last(cut.lines, 'staged'), activeVersion])) {
      if (number === 0) continue;
      const { bundle } = admittedBundle(number);
      const kept = await opened.value.evidence(bundle.digest);
      if (number < activeVersion) continue;
      expect(kept).toEqual({ ok: true, value: bundle });
    }
    // And it goes on from here.
    const next = admittedBundle(3);
    const to = { highestSeen: next.version, digest: next.bundle.digest };
    expect((await opened.value.raiseFloor(to)).ok).toBe(true);
    expect((await opened.value.stage(next.bundle, next.admission, [])).ok).toBe(true);
    expect((await opened.value.commit(next.summary, '2026-01-01T00:00:00.000Z')).ok).toBe(true);
    expect((await opened.value.prune()).ok).toBe(true);
  } finally {
    opened.value.close();
  }
}

async function checkAll(mode: Mode, cuts: readonly Cut[]): Promise<void> {
  for (const cut of cuts) {
    const folder = join(root, `${mode}-${cut.at}`);
    await check(folder, cut).catch((cause) => {
      throw new Error(`${mode} at call ${cut.at}: ${cause.message}`, { cause });
    });
    fs.rmSync(folder, { recursive: true });
  }
}

// Fewer would mean that the shim no longer sees the store.
const CALLS_MIN = 60;

test('C08 the store survives the death of the process at every call that changes the disk', async () => {
  for (let at = 1; ; at += 1) {
    const { cuts, fired } = runCuts('die', at);
    await checkAll('die', cuts);
    if (fired === 1) continue;
    expect(cuts[0]?.lines).toContain('pruned 2');
    expect(at).toBeGreaterThan(CALLS_MIN);
    return;
  }
}, 600_000);

test.each(['enospc', 'eio'] as const)(
  'V15 V21 the store survives %s at every call that changes the disk',
  async (mode) => {
    const { cuts, fired } = runCuts(mode, 1);
    await checkAll(mode, cuts);
    expect(cuts).toHaveLength(fired + 1);
    expect(cuts.at(-1)?.lines).toContain('pruned 2');
    expect(fired).toBeGreaterThan(CALLS_MIN);
  },
  600_000,
);
