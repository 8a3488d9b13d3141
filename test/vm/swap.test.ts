// What a swap looks like from outside while it happens: 16 threads open two files without pause, and no
// decision is anything but what the generation before or the generation after says.
//
// WARDER_SOAK=1 (make soak) asks for 2,000 swaps and 5 million decisions whose events were read: what a full
// ring lost is counted, but nothing can be said of it.
//
// The real object is driven through the addon: an agent could not push hundreds of generations in a
// minute, and the enforcer adds nothing to the one map update that a swap is.
//
// SPDX-License-Identifier: Apache-2.0

import { beforeAll, describe, expect, it } from 'vitest';
import { runSwap, type Swapped } from './swap.ts';

const SOAK = process.env['WARDER_SOAK'] === '1';
// As much as fits into every run; the long form is what a release must stand.
const LOAD = SOAK
  ? { threads: 16, commits: 2000, decisions: 5_000_000, seconds: 5400 }
  : { threads: 16, commits: 240, decisions: 20_000, seconds: 60 };
const COMMITS_MIN = SOAK ? LOAD.commits : 40;
const DECISIONS_MIN = SOAK ? LOAD.decisions : 1000;

let swapped: Swapped;

beforeAll(
  async () => {
    swapped = await runSwap(LOAD);
    process.stdout.write(`${JSON.stringify(swapped)}\n`);
  },
  (LOAD.seconds + 240) * 1000,
);

describe('case 83: a swap under 16 opening threads', () => {
  it('never allows what both generations deny', () => {
    expect(swapped.both).toMatchObject({ allowed: 0, other: 0 });
    expect(swapped.commits).toBeGreaterThanOrEqual(COMMITS_MIN);
    expect(swapped.found.events).toBeGreaterThanOrEqual(DECISIONS_MIN);
    expect(swapped.both.denied).toBeGreaterThan(swapped.commits);
  });

  it('allows or denies what one of them denies, and gives no third answer', () => {
    expect(swapped.one.other).toBe(0);
    // Both kinds of generation were really in force while the threads ran.
    expect(swapped.one.allowed).toBeGreaterThan(0);
    expect(swapped.one.denied).toBeGreaterThan(0);
  });

  it('stamps every event with the generation that was current at that moment, and a rule of it', () => {
    expect(swapped.generations).toBeGreaterThan(2);
    expect(swapped.found).toMatchObject({ uncommitted: 0, foreign: 0, stale: 0 });
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
