// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { type CanaryRun, judgeCanaries, planCanaries } from './canary.ts';
import type { KernelProgram } from './kernel.ts';

const program = (hook: string, state: KernelProgram['state'] = 'attached'): KernelProgram => ({
  program: hook,
  hook,
  hookId: 1,
  ops: 2,
  onlyIfPresent: false,
  state,
  detail: '',
});
const cases = planCanaries('/run/canary', [program('inode_unlink'), program('inode_rmdir')]);
const good: CanaryRun = {
  generation: 5,
  at: '2026-01-01T00:00:00Z',
  errnos: [13, 13],
  sightings: [
    { hook: 'inode_rmdir', operation: 'delete', generation: 5 },
    { hook: 'inode_unlink', operation: 'delete', generation: 5 },
  ],
  deniedRise: 2,
};

describe('judgeCanaries', () => {
  it('is healthy when every try was denied, seen once and counted', () => {
    const report = judgeCanaries(cases, good);
    expect(report.healthy).toBe(true);
    expect(report.results.map((it) => it.outcome)).toEqual(['denied', 'denied']);
  });

  it('is not healthy when nothing is attached', () => {
    expect(judgeCanaries([], { ...good, errnos: [] }).healthy).toBe(false);
  });

  const [rmdir, unlink] = good.sightings;
  const table: readonly (readonly [string, Partial<CanaryRun>, string])[] = [
    ['the kernel allowed it', { errnos: [13, 0] }, 'allowed'],
    ['another errno came', { errnos: [13, 1] }, 'wrong-errno'],
    ['the object is missing', { errnos: [13, 2] }, 'no-answer'],
    ['the child said nothing', { errnos: [13, -1] }, 'no-answer'],
    ['no child could be started', { errnos: null }, 'no-answer'],
    ['no event came', { sightings: rmdir ? [rmdir] : [] }, 'no-event'],
    [
      'two events came',
      { sightings: [...good.sightings, ...(unlink ? [unlink] : [])] },
      'no-event',
    ],
    [
      'another generation judged',
      { sightings: good.sightings.map((it) => ({ ...it, generation: 4 })) },
      'wrong-generation',
    ],
    ['the kernel did not count', { deniedRise: 1 }, 'no-event'],
  ];
  for (const [name, change, outcome] of table) {
    it(`is not healthy when ${name}`, () => {
      const report = judgeCanaries(cases, { ...good, ...change });
      expect(report.healthy).toBe(false);
      expect(report.results[1]?.outcome).toBe(outcome);
    });
  }

  it('still tries a program that lost its link, and none that never attached', () => {
    const hooks = planCanaries('/run/canary', [
      program('inode_unlink', 'detached'),
      program('inode_rmdir', 'rejected'),
      program('inode_link', 'absent'),
    ]).map((it) => it.hook);
    expect(hooks).toEqual(['inode_unlink']);
  });
});
