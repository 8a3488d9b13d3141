// SPDX-License-Identifier: Apache-2.0
// Runs everything that "make test" promises and ends with one line: N passed, N failed, N skipped.
//
// A stage that fails does not stop the next one, so that one run shows everything; a skipped test is
// listed with its reason, because a check that did not run is not a pass.
//
// Tests on the host and in guests run in two lines side by side, each one file after the other, because none
// keeps two processors busy. What is not shown as it comes is shown when it has ended.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './paths.mjs';

const SUMMARIES = join(ROOT, '.cache', 'test');
/** Files of guest tests, by the beginning of their path. */
const AFTER_HOST = [
  'test/guest/',
  ...['glass', 'sabotage', 'self', 'smoke', 'vectors'].map((name) => `test/vm/${name}`),
];
const REPORTER = fileURLToPath(new URL('./summary-reporter.mjs', import.meta.url));

rmSync(SUMMARIES, { recursive: true, force: true });
mkdirSync(SUMMARIES, { recursive: true });
const checked = await runScript({ script: 'check', live: true });
const summaries = [checked, ...(await Promise.all([hostAndGuests(), otherGuests()])).flat()];

const skipped = summaries.flatMap((it) => it.skipped);
const failed = summaries.flatMap((it) => it.failed);
const passed = summaries.reduce((total, it) => total + it.passed, 0);
console.log();
for (const line of skipped) console.log(`skipped: ${line}`);
for (const line of failed) console.log(`failed: ${line}`);
console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** The host's tests, and then so many of the guests' that both lines take about as long. */
async function hostAndGuests() {
  const host = await runScript({ script: 'test:host', live: false });
  const guests = await runScript({ script: 'test:guest', live: false, args: AFTER_HOST });
  return [host, guests];
}

async function otherGuests() {
  const args = AFTER_HOST.flatMap((it) => ['--exclude', `${it}**`]);
  return [
    await runScript({ script: 'test:guest', name: 'test:guest, the others', live: true, args }),
  ];
}

/** Runs a script of package.json; its output is shown as it comes, or kept until its end. */
async function runScript({ script, name = script, live, args = [] }) {
  const head = `\n== npm run ${name}\n`;
  if (live) process.stdout.write(head);
  const file = join(SUMMARIES, `${name.replaceAll(/\W+/g, '-')}.json`);
  const options = ['--passWithNoTests', '--reporter=default', `--reporter=${REPORTER}`];
  const child = spawn('npm', ['run', '--silent', script, '--', ...args, ...options], {
    cwd: ROOT,
    env: { ...process.env, WARDER_TEST_SUMMARY: file },
    stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const kept = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (it) => kept.push(it));
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  if (!live) process.stdout.write(`${head}${Buffer.concat(kept)}`);
  const nothing = { passed: 0, failed: [], skipped: [] };
  const summary = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : nothing;
  // Static checks, and a run that died, leave no failed test behind.
  if (status !== 0 && summary.failed.length === 0)
    summary.failed.push(`npm run ${name} (status ${status}, see above)`);
  return summary;
}
