// docs/kernel-matrix.md from the results of the tests: a row for each id of the case list, a column for
// each kernel.
//
// Invariant: a cell says "passed" only when every test of that id passed on that kernel, and at least one
// ran.
//
// SPDX-License-Identifier: Apache-2.0

import type { KernelCase } from '../../test/vm/ids.ts';

/** One test as it ended on one kernel. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  /** Why it was skipped. */
  readonly note?: string;
  /** What this kernel does in another way. */
  readonly differs?: string;
}

/** A kernel of the matrix. */
export interface KernelResult {
  readonly series: string;
  /** Null: it did not run, and `reason` says why. */
  readonly release: string | null;
  /** Without them it has ext4 and tmpfs, and no network card; tests that need more did not run. */
  readonly hasModules: boolean;
  readonly reason: string | null;
  /** This kernel must be refused: only tests of the refusal run on it. */
  readonly refused: boolean;
  readonly tests: readonly TestResult[];
}

type Cell = 'passed' | 'differs' | 'skipped' | 'failed' | 'not shown';

/** The ids that a test's name tells: `case 83: ...`, `case > 83b: ...`, `case 85, case 86: ...`. */
export function idsOf(name: string): readonly number[] {
  return [...name.matchAll(/\bcase (?:> )?(\d+)/g)].map((match) => Number(match[1]));
}

/** What the tests of an id on a kernel come to. */
export function cellOf(tests: readonly TestResult[]): Cell {
  if (tests.length === 0) return 'not shown';
  if (tests.some(({ state }) => state === 'failed' || state === 'pending')) return 'failed';
  const ran = tests.filter(({ state }) => state === 'passed');
  if (ran.length === 0) return 'skipped';
  return ran.some(({ differs }) => differs !== undefined) || ran.length < tests.length
    ? 'differs'
    : 'passed';
}

/** Writes the document. */
export function matrixDocument(
  cases: readonly KernelCase[],
  kernels: readonly KernelResult[],
): string {
  const run = kernels.filter(({ release, refused }) => release !== null && !refused);
  const of = (kernel: KernelResult, id: number) =>
    kernel.tests.filter(({ name }) => idsOf(name).includes(id));
  const rows = cases.map(({ id, expected, title, shown }) => {
    const cells = run.map((kernel) => (isOnHost(shown) ? 'on the host' : cellOf(of(kernel, id))));
    return `| ${[id, title, expected, ...cells].join(' | ')} |`;
  });
  return [
    '# Kernel matrix',
    '',
    'Written by `make kernels` from the results of the tests; see test/vm/ids.ts for the list and for where',
    'an id is shown.',
    '',
    ...kernelTable(cases, kernels),
    '',
    '## Cases',
    '',
    `| ${['id', 'case', 'expected', ...run.map(({ series }) => series)].join(' | ')} |`,
    `|${'---|'.repeat(3 + run.length)}`,
    ...rows,
    '',
    '## Differences and skips',
    '',
    ...remarks(run),
    '',
  ].join('\n');
}

// Tests of the host project run the privileged process on a kernel of their own making.
function isOnHost(shown: KernelCase['shown']): boolean {
  return shown !== 'table' && 'test' in shown && !/^test\/(?:vm|guest)\//.test(shown.test);
}

function kernelTable(
  cases: readonly KernelCase[],
  kernels: readonly KernelResult[],
): readonly string[] {
  const lines = kernels.map((kernel) => {
    const { series, release, hasModules, reason, refused, tests } = kernel;
    const without = hasModules ? '' : '; without its modules, which Debian has dropped';
    if (release === null) return `| ${series} | | skipped: ${reason} |`;
    const failed = tests.filter(({ state }) => state === 'failed').length;
    if (refused) return `| ${series} | ${release} | ${failed === 0 ? 'refused' : 'FAILED'} |`;
    const count = (...wanted: readonly Cell[]) =>
      cases.filter(({ id }) =>
        wanted.includes(cellOf(tests.filter(({ name }) => idsOf(name).includes(id)))),
      ).length;
    const outcome = [
      `${count('passed', 'differs')} ids passed`,
      `${count('skipped')} skipped`,
      `${count('failed')} failed`,
      `${count('not shown')} not shown`,
    ].join(', ');
    return `| ${series} | ${release} | ${outcome}; ${tests.length} tests, ${failed} failed${without} |`;
  });
  return ['| series | release | outcome |', '|---|---|---|', ...lines];
}

function remarks(run: readonly KernelResult[]): readonly string[] {
  const lines = new Map<string, string[]>();
  for (const { series, tests } of run) {
    for (const { name, state, note, differs } of tests) {
      const id = idsOf(name)[0];
      const text = state === 'skipped' ? `skipped: ${note ?? 'no reason given'}` : differs;
      if (id === undefined || text === undefined) continue;
      const line = `- ${id}: ${text}`;
      const seen = lines.get(line) ?? [];
      if (!seen.includes(series)) lines.set(line, [...seen, series]);
    }
  }
  const texts = [...lines].map(([line, series]) => `${line} (${series.join(', ')})`);
  return texts.length === 0 ? ['None.'] : texts;
}
