// "make kernels": every guest test on every kernel of the matrix, one after the other, then
// docs/kernel-matrix.md from the results. What is not asked for again is kept from the last run.
//
//   node packaging/kernels/run.ts [SERIES]... [TEST FILE]...      default: all
//
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KERNEL_CASES } from '../../test/vm/ids.ts';
import { type KernelResult, matrixDocument } from './matrix.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RESULTS = join(ROOT, 'build', 'kernel-matrix');
const REPORTER = fileURLToPath(new URL('./reporter.mjs', import.meta.url));
const REFUSAL_TEST = 'test/vm/refusal.test.ts';
const SMOKE_TEST = 'test/vm/smoke.test.ts';
/** Files whose tests mount what is a module, or use the network card. */
const NEED_MODULES = ['test/guest/lab.test.ts', 'test/vm/events.test.ts', 'test/vm/demo.test.ts'];

interface Kernels {
  provideKernel(wanted: string): { readonly series: string };
  findKernel(series: string): { readonly release: string; readonly modules: string | null } | null;
}
interface Series {
  readonly MATRIX_SERIES: readonly string[];
  readonly TOO_OLD_SERIES: string;
}
const setup = (name: string) => import(new URL(`../setup/${name}.mjs`, import.meta.url).href);
const { provideKernel, findKernel } = (await setup('kernels')) as Kernels;
const { MATRIX_SERIES, TOO_OLD_SERIES } = (await setup('kernel-series')) as Series;

mkdirSync(RESULTS, { recursive: true });
const asked = process.argv.slice(2);
const askedFiles = asked.filter((it) => it.endsWith('.test.ts'));
const askedSeries = asked.filter((it) => !askedFiles.includes(it));
const results = [...MATRIX_SERIES, TOO_OLD_SERIES].map((wanted) => {
  const file = join(RESULTS, `${wanted}.json`);
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KernelResult) : null;
  if (askedSeries.length > 0 && !askedSeries.includes(wanted)) {
    return kept ?? missing(wanted, 'not run');
  }
  const result = runOn(wanted, kept?.tests ?? []);
  writeFileSync(file, JSON.stringify(result));
  return result;
});
const document = join(ROOT, 'docs', 'kernel-matrix.md');
writeFileSync(document, matrixDocument(KERNEL_CASES, results));
for (const { series, release, reason, tests } of results) {
  const failed = tests.filter(({ state }) => state === 'failed');
  for (const { file, name } of failed) console.log(`failed: ${series}: ${file} > ${name}`);
  const outcome = release === null ? `skipped: ${reason}` : `${tests.length} tests`;
  console.log(`kernel ${series}: ${outcome}, ${failed.length} failed`);
  if (failed.length > 0 || (release !== null && tests.length === 0)) process.exitCode = 1;
}
console.log('written: docs/kernel-matrix.md');

function missing(series: string, reason: string): KernelResult {
  const refused = series === TOO_OLD_SERIES;
  return { series, release: null, hasModules: false, reason, refused, tests: [] };
}

function runOn(wanted: string, before: KernelResult['tests']): KernelResult {
  let series = wanted;
  try {
    ({ series } = provideKernel(wanted));
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === 'SetupError')) throw cause;
    return missing(wanted, cause.message.split('\n', 1)[0] ?? '');
  }
  const refused = wanted === TOO_OLD_SERIES;
  const { release, modules } = findKernel(series) ?? { release: series, modules: '' };
  const hasModules = modules !== null;
  const left = [SMOKE_TEST, ...(hasModules ? [] : NEED_MODULES)];
  const files = refused ? [REFUSAL_TEST] : left.flatMap((file) => ['--exclude', file]);
  const again = refused ? [] : askedFiles;
  const { tests, broken } = runTests(series, [...files, ...again]);
  const kept = again.length === 0 ? [] : before.filter(({ file }) => !again.includes(file));
  // A file that could not be run has no tests that failed.
  const lost = broken
    .filter((file) => !tests.some((it) => it.file === file && it.state === 'failed'))
    .map((file) => ({ file, name: 'as a whole', state: 'failed' as const }));
  const all = [...kept, ...tests, ...lost];
  return { series, release, hasModules, reason: null, refused, tests: all };
}

function runTests(series: string, args: readonly string[]): Report {
  console.log(`\n== kernel ${series}`);
  const report = join(RESULTS, `report-${series}.json`);
  rmSync(report, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', `--reporter=${REPORTER}`];
  spawnSync(process.execPath, [vitest, 'run', '--project', 'guest', ...reporters, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, WARDER_GUEST_SERIES: series, WARDER_MATRIX: report },
  });
  if (existsSync(report)) return JSON.parse(readFileSync(report, 'utf8')) as Report;
  return { tests: [], broken: ['vitest'] };
}

interface Report {
  readonly tests: KernelResult['tests'];
  /** Files in which something failed. */
  readonly broken: readonly string[];
}
