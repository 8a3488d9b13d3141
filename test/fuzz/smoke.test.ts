// A few thousand executions of every fuzzer with fixed seeds, and proof that the fuzzer itself finds: a reader
// with a fault planted in it. `make fuzz` runs longer.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, expect, test } from 'vitest';
import { fuzz } from './fuzz.ts';
import { makeChance } from './mutate.ts';
import type { Target } from './target.ts';
import { makeTargets } from './targets.ts';

const EXECUTIONS = 400;
const targets = await makeTargets();
afterAll(() => {
  for (const it of targets) it.close?.();
});

test.each(targets)('$name holds for some hundred inputs', async (target) => {
  const report = await fuzz(target, makeChance(20_260_301), (count) => count >= EXECUTIONS);
  expect(report.findings).toEqual([]);
  expect(report.outcomes).toBeGreaterThan(2);
});

test('a planted fault is found, and the same seed finds it again', async () => {
  const planted: Target = {
    name: 'planted',
    form: 'json',
    seeds: [Buffer.from('{"version":7,"name":"x"}')],
    run: (input) => {
      const read = JSON.parse(Buffer.from(input).toString()) as { version?: unknown } | null;
      if (read?.version === 2 ** 53) throw new RangeError('planted');
      return typeof read?.version;
    },
  };
  const caught: Target = {
    ...planted,
    run: async (input) => {
      try {
        return await planted.run(input);
      } catch (cause) {
        if (cause instanceof SyntaxError) return 'no JSON';
        throw cause;
      }
    },
  };
  const find = async () => (await fuzz(caught, makeChance(1), (count) => count >= 5000)).findings;
  expect(await find()).toMatchObject([{ why: 'RangeError: planted' }]);
  expect(await find()).toEqual(await find());
});
