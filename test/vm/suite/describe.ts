// The case suite as tests: one for each id and variant, and one that counts.
//
// SPDX-License-Identifier: Apache-2.0

import { beforeAll, describe, expect, it } from 'vitest';
import type { KernelVersion } from '../cases/case.ts';
import { expectedTotals, judgeCase } from './judge.ts';
import { refusalsOf } from './refusals.ts';
import { runSuite, type SuiteRun, type VariantRun } from './run.ts';
import { pathsInMemory } from './scripts.ts';
import {
  type Extent,
  isPlayed,
  type Selected,
  select,
  VARIANT_WORDS,
  type Variant,
} from './selection.ts';

const RUN_TIMEOUT_MS = 1_800_000;

declare module 'vitest' {
  interface TaskMeta {
    /** What this kernel does in another way, for docs/kernel-matrix.md. */
    differs?: string;
  }
}

/** Declares the tests of the suite on a kernel series. */
export function describeSuite(series: string, hasModules: boolean, extent: Extent): void {
  const kernel = versionOf(series);
  const selected = select(kernel, hasModules, extent);
  let run: SuiteRun;

  beforeAll(async () => {
    run = await runSuite(series, extent, selected);
  }, RUN_TIMEOUT_MS);

  const played = (variant: Variant): VariantRun => {
    const one = run.variants.get(variant);
    if (one === undefined) throw new Error(`${variant} was not played`);
    return one;
  };

  describe('case', () => {
    it.for(namesOf(selected))('$name', ({ one, variant }, { task, skip }) => {
      if (!isPlayed(one)) skip(one.difference?.text ?? 'cannot run on this kernel');
      if (one.difference !== null) task.meta.differs = one.difference.text;
      expect(judgeCase(one, variant, played(variant))).toEqual([]);
    });
  });

  const refusals = refusalsOf(extent, selected);
  // A suite without a test is a failure of its own.
  describe.runIf(refusals.length > 0)('case', () => {
    it.for(refusals)('$id: $title', ({ id, code }) => {
      expect(run.refused.get(id)).toEqual({ code, stillEnforced: true });
    });
  });

  describe.runIf(extent === 'forgotten')('after a reboot', () => {
    it('what was in memory is gone, and the policy is in force without that and with all the rest', () => {
      expect([...(run.leftOut ?? [])].sort()).toEqual(pathsInMemory(selected));
    });
  });

  it('counts exactly the denials and would-denials that were seen, and loses none', () => {
    for (const [variant, record] of run.variants) {
      const { denied, audited, dropped, events } = record;
      const expected = expectedTotals(selected, variant, record);
      expect.soft(audited, variant).toBe(expected.audited);
      expect.soft(dropped, variant).toBe(0);
      // `warder status` asks the enforcer, which may run its canaries in between: they are denials too.
      expect.soft(denied, variant).toBeGreaterThanOrEqual(expected.denied);
      const seen = events.filter((one) => one.action === 'deny' && one.rule?.startsWith('cases-'));
      expect.soft(seen.length, variant).toBeGreaterThanOrEqual(expected.denied);
    }
  });
}

function namesOf(selected: readonly Selected[]) {
  return selected.flatMap((one) =>
    one.variants.map((variant) => ({
      one,
      variant,
      name: `${one.it.id}: ${one.it.title}${VARIANT_WORDS[variant]}`,
    })),
  );
}

function versionOf(series: string): KernelVersion {
  const [major = 0, minor = 0] = series.split('.').map(Number);
  return [major, minor];
}
