// What a swap looks like from outside while it happens: 16 threads open two files without pause, and no
// decision is anything but what the generation before or the generation after says.
//
// The real object is driven through the addon: an agent could not push hundreds of generations in a
// minute, and the enforcer adds nothing to the one map update that a swap is.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const THREADS = 16;
const COMMITS = { min: 40, max: 240 } as const;
const SECONDS_MAX = 60;
const FOLDER = '/opt/swap';
const FILES = {
  'warder.node': '../../build/native/warder.node',
  'warder.bpf.o': '../../bpf/build/warder.bpf.o',
  'swap-steps.mjs': './swap-steps.mjs',
} as const;

interface Counts {
  readonly allowed: number;
  readonly denied: number;
  readonly other: number;
}

interface Swapped {
  readonly commits: number;
  readonly generations: number;
  readonly both: Counts;
  readonly one: Counts;
  readonly found: {
    readonly events: number;
    readonly uncommitted: number;
    readonly foreign: number;
  };
  readonly totals: {
    readonly sequence: number;
    readonly emitted: number;
    readonly dropped: number;
    readonly denied: number;
    readonly incomplete: number;
  };
}

let guest: Guest;
let swapped: Swapped;

beforeAll(async () => {
  guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  for (const [name, source] of Object.entries(FILES)) {
    await guest.put(
      `${FOLDER}/${name}`,
      readFileSync(fileURLToPath(new URL(source, import.meta.url))),
    );
  }
  const script = `${FOLDER}/swap-steps.mjs`;
  const files = [`${FOLDER}/warder.node`, `${FOLDER}/warder.bpf.o`];
  const inputs = [...files, ...[THREADS, COMMITS.max, SECONDS_MAX].map(String)];
  const ran = await guest.run(['node', script, ...inputs], { timeoutMs: 180_000 });
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  swapped = JSON.parse(ran.stdout) as Swapped;
});

afterAll(async () => {
  await guest?.stop();
});

describe('case 83: a swap under 16 opening threads', () => {
  it('never allows what both generations deny', () => {
    expect(swapped.both).toMatchObject({ allowed: 0, other: 0 });
    expect(swapped.commits).toBeGreaterThanOrEqual(COMMITS.min);
    expect(swapped.both.denied).toBeGreaterThan(swapped.commits);
  });

  it('allows or denies what one of them denies, and gives no third answer', () => {
    expect(swapped.one.other).toBe(0);
    // Both kinds of generation were really in force while the threads ran.
    expect(swapped.one.allowed).toBeGreaterThan(0);
    expect(swapped.one.denied).toBeGreaterThan(0);
  });

  it('names in every event a generation that was committed, and a rule of that generation', () => {
    expect(swapped.generations).toBeGreaterThan(2);
    expect(swapped.found).toMatchObject({ uncommitted: 0, foreign: 0 });
    expect(swapped.found.events).toBe(swapped.totals.emitted);
  });

  it('counts every denial once, and every event as told or lost', () => {
    const { sequence, emitted, dropped, denied, incomplete } = swapped.totals;
    expect(denied).toBe(swapped.both.denied + swapped.one.denied);
    expect(sequence).toBe(denied);
    expect(emitted + dropped).toBe(sequence);
    expect(incomplete).toBe(0);
  });
});
