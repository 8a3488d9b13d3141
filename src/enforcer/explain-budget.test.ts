// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { ExplainBudget } from './explain-budget.ts';

const RATES = { total: { perSecond: 10, burst: 8 }, rule: { perSecond: 2, burst: 4 } };
const taken = (budget: ExplainBudget, rule: string, times: number, nowMs: number) =>
  Array.from({ length: times }, () => budget.take(rule, nowMs)).filter(Boolean).length;

describe('ExplainBudget', () => {
  it('grants a burst to a rule, and leaves the others theirs', () => {
    const budget = new ExplainBudget(RATES, 0);
    expect(taken(budget, 'hammered', 100, 0)).toBe(4);
    expect(taken(budget, 'other', 2, 0)).toBe(2);
  });

  it('bounds all rules together, and takes nothing from a rule that it refuses', () => {
    const budget = new ExplainBudget(RATES, 0);
    expect(taken(budget, 'a', 4, 0) + taken(budget, 'b', 4, 0)).toBe(8);
    expect(taken(budget, 'c', 1, 0)).toBe(0);
    expect(taken(budget, 'c', 9, 400)).toBe(4);
  });

  it('grants again at the rate of the rule, up to the burst', () => {
    const budget = new ExplainBudget(RATES, 0);
    expect(taken(budget, 'a', 100, 0)).toBe(4);
    expect(taken(budget, 'a', 100, 500)).toBe(1);
    expect(taken(budget, 'a', 100, 60_000)).toBe(4);
  });

  it('gives nothing for a clock that was set back', () => {
    const budget = new ExplainBudget(RATES, 1000);
    expect(taken(budget, 'a', 100, 1000)).toBe(4);
    expect(taken(budget, 'a', 100, 0)).toBe(0);
    expect(taken(budget, 'a', 100, 500)).toBe(1);
  });
});
