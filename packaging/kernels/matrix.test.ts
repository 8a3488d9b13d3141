// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { KernelCase } from '../../test/vm/ids.ts';
import { cellOf, idsOf, type KernelResult, matrixDocument, type TestResult } from './matrix.ts';

const CASES: readonly KernelCase[] = [
  { id: 1, expected: 'D', title: 'through a symlink', shown: 'table' },
  { id: 76, expected: 'D', title: 'AT_EXECVE_CHECK', shown: 'table' },
];
const result = (name: string, state: TestResult['state'], more: Partial<TestResult> = {}) => ({
  file: 'test/vm/cases.test.ts',
  name,
  state,
  ...more,
});
const kernel = (series: string, more: Partial<KernelResult>): KernelResult => ({
  series,
  release: `${series}.0`,
  hasModules: true,
  reason: null,
  refused: false,
  tests: [],
  ...more,
});

describe('idsOf', () => {
  it.each([
    ['case > 9b: a file below a parent', [9]],
    ['on kernel 7 > case > 124: deep', [124]],
    ['case 89: a kernel whose lsm= lacks bpf > is refused', [89]],
    ['case 85, case 86: a map that is full', [85, 86]],
    ['counts exactly the denials in every case', []],
  ])('finds the ids of %j', (name, ids) => {
    expect(idsOf(name)).toEqual(ids);
  });
});

describe('cellOf', () => {
  it('says passed only when all ran and passed', () => {
    expect(cellOf([result('case 1', 'passed'), result('case 1', 'passed')])).toBe('passed');
    expect(cellOf([result('case 1', 'passed'), result('case 1', 'failed')])).toBe('failed');
    expect(cellOf([result('case 1', 'passed'), result('case 1', 'skipped')])).toBe('differs');
    expect(cellOf([result('case 1', 'passed', { differs: 'another way' })])).toBe('differs');
    expect(cellOf([result('case 1', 'skipped')])).toBe('skipped');
    expect(cellOf([])).toBe('not shown');
  });
});

describe('matrixDocument', () => {
  it('has a column for each kernel that ran, and the reasons of the others', () => {
    const text = matrixDocument(CASES, [
      kernel('6.1', {
        tests: [
          result('case > 1: through a symlink', 'passed'),
          result('case > 76: check', 'skipped', { note: 'since 6.14' }),
        ],
      }),
      kernel('6.19', { release: null, reason: 'gone' }),
      kernel('5.10', { refused: true, tests: [result('refused', 'passed')] }),
    ]);
    expect(text).toContain('| id | case | expected | 6.1 |');
    expect(text).toContain('| 1 | through a symlink | D | passed |');
    expect(text).toContain('| 76 | AT_EXECVE_CHECK | D | skipped |');
    expect(text).toContain('- 76: skipped: since 6.14 (6.1)');
    expect(text).toContain('| 6.19 | | skipped: gone |');
    expect(text).toContain('| 5.10 | 5.10.0 | refused |');
  });
});
