// SPDX-License-Identifier: Apache-2.0
// Runs everything that "make test" promises and ends with one line: N passed, N failed, N skipped.
//
// A stage that fails does not stop the next one, so that one run shows everything; a skipped test is
// listed with its reason, because a check that did not run is not a pass.
//
// Host and guest tests run side by side: each runs one file after the other, and neither keeps two
// processors busy. What the host tests print is shown when they have ended.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './paths.mjs';

const SUMMARIES = join(ROOT, '.cache', 'test');
const REPORTER = fileURLToPath(new URL('./summary-reporter.mjs', import.meta.url));

rmSync(SUMMARIES, { recursive: true, force: true });
mkdirSync(SUMMARIES, { recursive: true });
const checked = await runScript('check', 'shown');
const host = runScript('test:host', 'kept');
const guest = runScript('test:guest', 'shown');
const summaries = [checked, ...(await Promise.all([host, guest]))];

const skipped = summaries.flatMap((it) => it.skipped);
const failed = summaries.flatMap((it) => it.failed);
const passed = summaries.reduce((total, it) => total + it.passed, 0);
console.log();
for (const line of skipped) console.log(`skipped: ${line}`);
for (const line of failed) console.log(`failed: ${line}`);
console.log(`${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** Runs a script of package.json; its output is shown as it comes, or kept until its end. */
async function runScript(script, output) {
  const head = `\n== npm run ${script}\n`;
  if (output === 'shown') process.stdout.write(head);
  const file = join(SUMMARIES, `${script.replace(':', '-')}.json`);
  const options = ['--passWithNoTests', '--reporter=default', `--reporter=${REPORTER}`];
  const child = spawn('npm', ['run', '--silent', script, '--', ...options], {
    cwd: ROOT,
    env: { ...process.env, WARDER_TEST_SUMMARY: file },
    stdio: output === 'shown' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const kept = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (it) => kept.push(it));
  const status = await new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  if (output === 'kept') process.stdout.write(`${head}${Buffer.concat(kept)}`);
  const nothing = { passed: 0, failed: [], skipped: [] };
  const summary = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : nothing;
  // Static checks, and a run that died, leave no failed test behind.
  if (status !== 0 && summary.failed.length === 0)
    summary.failed.push(`npm run ${script} (status ${status}, see above)`);
  return summary;
}
