// "make mutants": applies each mutant of the table to a copy of the project, builds what it touches and runs
// what must kill it. Results are kept by the content of the file and of the mutant, so that a run that was
// stopped goes on where it was.
//
//   node packaging/mutants/run.ts [ts] [c] [guest]      default: all
//
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Killer, MUTANTS, type Mutant } from './table.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BASE = join(ROOT, 'build', 'mutants');
const COPY = join(BASE, 'tree');
const RESULTS = join(BASE, 'results.json');
const EQUIVALENT_MAX = 3;
/** What a copy needs; everything that is built stays where it is, but for what mutants change. */
const COPIED = ['bpf', 'native', 'packaging', 'policies', 'src', 'test', 'docs'] as const;
const FILES = ['package.json', 'tsconfig.json', 'vitest.config.ts'] as const;

const TESTS: Readonly<Record<Killer, readonly string[]>> = {
  ts: ['--project', 'fast', 'test/vectors', 'src/core/policy', 'src/core/image'],
  c: ['--project', 'host', 'test/native/decide.test.ts', '-t', 'decide_native'],
  guest: ['--project', 'guest', 'test/vm/cases.test.ts'],
};

type Outcome = 'killed' | 'survived' | 'broken';

const kept = existsSync(RESULTS)
  ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Outcome>)
  : {};
const kinds = process.argv.slice(2);
const wanted = MUTANTS.filter(({ by }) => kinds.length === 0 || kinds.includes(by));
makeCopy();
// Without a mutant everything passes, or nothing that follows would mean anything.
for (const by of new Set(wanted.map((it) => it.by))) {
  if (!build(by) || !passes(by)) {
    console.error(`error: the ${by} tests fail without any mutant`);
    process.exit(1);
  }
}
const outcomes = wanted.map((mutant) => ({ mutant, outcome: play(mutant) }));
const wrong = outcomes.filter(
  ({ mutant, outcome }) => outcome !== 'killed' && mutant.equivalent === undefined,
);
const spared = outcomes.filter(({ mutant }) => mutant.equivalent !== undefined);
const killed = outcomes.filter(({ outcome }) => outcome === 'killed').length;
console.log(`\n${wanted.length} mutants, ${killed} killed, ${spared.length} shown equivalent`);
for (const { mutant, outcome } of wrong) console.log(`${outcome}: ${mutant.id} (${mutant.file})`);
process.exitCode = wrong.length > 0 || spared.length > EQUIVALENT_MAX ? 1 : 0;

function makeCopy(): void {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(join(COPY, 'build'), { recursive: true });
  for (const name of [...COPIED, ...FILES]) {
    cpSync(join(ROOT, name), join(COPY, name), { recursive: true, preserveTimestamps: true });
  }
  for (const name of ['node_modules', 'bin', '.tools']) link(name);
  for (const name of ['native', 'guest', 'guest-bin']) link(join('build', name));
}

function link(name: string): void {
  if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(COPY, name));
}

function play(mutant: Mutant): Outcome {
  const file = join(COPY, mutant.file);
  const text = readFileSync(file, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([mutant, text]))
    .digest('hex');
  const outcome = kept[key] ?? attempt(mutant, file, text);
  kept[key] = outcome;
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(kept));
  const note = mutant.equivalent === undefined ? '' : ` (equivalent: ${mutant.equivalent})`;
  console.log(
    `${outcome.padEnd(9)}${mutant.by.padEnd(6)}${mutant.id.padEnd(22)}${mutant.file}${note}`,
  );
  return outcome;
}

function attempt({ from, to, by }: Mutant, file: string, text: string): Outcome {
  // A text that is not there, or not once, is a table that the code has left behind.
  if (text.split(from).length !== 2) return 'broken';
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
  try {
    // What does not compile shows nothing about the tests.
    if (!build(by)) return 'broken';
    return passes(by) ? 'survived' : 'killed';
  } finally {
    writeFileSync(file, text);
  }
}

function build(by: Killer): boolean {
  if (by === 'ts') return true;
  const target =
    by === 'c' ? ['-C', 'test/vectors', `${COPY}/build/vectors/decide_native`] : ['-C', 'bpf'];
  return spawnSync('make', ['-s', ...target], { cwd: COPY, stdio: 'ignore' }).status === 0;
}

function passes(by: Killer): boolean {
  const vitest = join(COPY, 'node_modules', '.bin', 'vitest');
  const options = ['run', ...TESTS[by], '--bail', '1', '--silent', '--reporter', 'dot'];
  return spawnSync(vitest, options, { cwd: COPY, stdio: 'ignore' }).status === 0;
}
