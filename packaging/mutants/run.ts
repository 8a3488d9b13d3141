// "make mutants": applies each mutant of the table to a copy of the project, builds what it touches and runs
// what must kill it: first the rows that the table names, then, if those notice nothing, the whole. Killed
// is what a test failed for; a run that ends badly without one shows nothing. Kills are kept by the content
// of the file and of the mutant, so that a run that was stopped goes on where it was.
//
//   node packaging/mutants/run.ts [ts] [c] [guest] [glass] [self] [oracle] [health] [ID]...      default: all
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
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Killer, Mutant } from './mutant.ts';
import { MUTANTS } from './table.ts';

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
  glass: ['--project', 'guest', 'test/vm/glass.test.ts'],
  self: ['--project', 'guest', 'test/vm/self.test.ts'],
  oracle: ['--project', 'guest', 'test/vm/oracle.test.ts'],
  health: ['--project', 'guest', 'test/vm/sabotage.test.ts'],
};

type Outcome = 'killed' | 'survived' | 'broken';

const kept = existsSync(RESULTS)
  ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Outcome>)
  : {};
/** What passes without any mutant, or nothing that follows would mean anything. */
const sound = new Set<string>();
const kinds = process.argv.slice(2);
const wanted = MUTANTS.filter(
  ({ by, id }) => kinds.length === 0 || kinds.includes(by) || kinds.includes(id),
);
makeCopy();
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
  for (const name of ['native', 'guest-bin']) link(join('build', name));
  // Images of mutants are no images of the project.
  mkdirSync(join(BASE, 'guest'), { recursive: true });
  symlinkSync(join(BASE, 'guest'), join(COPY, 'build', 'guest'));
}

function link(name: string): void {
  if (existsSync(join(ROOT, name))) symlinkSync(join(ROOT, name), join(COPY, name));
}

function play(mutant: Mutant): Outcome {
  const { id, by, equivalent, from, to } = mutant;
  const file = join(COPY, mutant.file);
  const text = readFileSync(file, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([mutant.file, from, to, by, text]))
    .digest('hex');
  const began = Date.now();
  // Tests may have been added since a mutant survived.
  const outcome = kept[key] === 'killed' ? 'killed' : attempt(mutant, file, text);
  kept[key] = outcome;
  writeFileSync(RESULTS, JSON.stringify(kept));
  const seconds = `${Math.round((Date.now() - began) / 1000)} s`;
  const note = equivalent === undefined ? '' : ` (equivalent: ${equivalent})`;
  console.log(
    `${outcome.padEnd(9)}${by.padEnd(7)}${id.padEnd(22)}${seconds.padEnd(7)}${mutant.file}${note}`,
  );
  return outcome;
}

function attempt({ from, to, by, only }: Mutant, file: string, text: string): Outcome {
  // A text that is not there, or not once, is a table that the code has left behind.
  if (text.split(from).length !== 2) return 'broken';
  demandSound(by, only);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
  try {
    // What does not compile shows nothing about the tests.
    if (!build(by)) return 'broken';
    const first = test(by, only);
    if (first !== 'survived' || only === undefined) return first;
    writeFileSync(file, text);
    demandSound(by, undefined);
    writeFileSync(
      file,
      text.replace(from, () => to),
    );
    return build(by) ? test(by, undefined) : 'broken';
  } finally {
    writeFileSync(file, text);
  }
}

/** Ends the run if these tests fail without a mutant. Rows are asked together with all that the table names. */
function demandSound(by: Killer, only: string | undefined): void {
  const rows = MUTANTS.filter((it) => it.by === by).flatMap((it) => it.only ?? []);
  const all = only === undefined ? undefined : [...new Set(rows)].join('|');
  const name = `${by} ${all ?? ''}`;
  if (sound.has(name)) return;
  if (!build(by) || test(by, all) !== 'survived') {
    console.error(`error: the ${by} tests fail without any mutant`);
    process.exit(1);
  }
  sound.add(name);
}

function build(by: Killer): boolean {
  if (by === 'ts') return true;
  const target =
    by === 'c' ? ['-C', 'test/vectors', `${COPY}/build/vectors/decide_native`] : ['-C', 'bpf'];
  return spawnSync('make', ['-s', ...target], { cwd: COPY, stdio: 'ignore' }).status === 0;
}

/** A guest that did not come up in time shows nothing, and is asked once more. */
function test(by: Killer, only: string | undefined): Outcome {
  const outcome = testOnce(by, only);
  return outcome === 'broken' && by !== 'ts' && by !== 'c' ? testOnce(by, only) : outcome;
}

function testOnce(by: Killer, only: string | undefined): Outcome {
  const vitest = join(COPY, 'node_modules', '.bin', 'vitest');
  const report = join(BASE, 'report.json');
  rmSync(report, { force: true });
  // The cases choose by themselves which of them are laid out at all.
  const byName = only !== undefined && by !== 'guest' ? ['-t', only] : [];
  const reporter = ['--reporter', 'json', '--outputFile', report];
  const options = ['run', ...TESTS[by], ...byName, '--bail', '1', '--silent', ...reporter];
  const { status } = spawnSync(vitest, options, {
    cwd: COPY,
    stdio: 'ignore',
    env: by === 'guest' && only ? { ...process.env, WARDER_CASES: `^(${only})$` } : process.env,
  });
  if (status === 0) return 'survived';
  if (!existsSync(report)) return 'broken';
  const { numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as { numFailedTests: number };
  return numFailedTests > 0 ? 'killed' : 'broken';
}
