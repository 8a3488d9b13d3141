// SPDX-License-Identifier: Apache-2.0
// Runs everything that "make test" promises and ends with one line: N passed, N failed, N skipped.
//
// A stage that fails does not stop the next one, so that one run shows everything; a skipped test is
// listed with its reason, because a check that did not run is not a pass.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from './paths.mjs';

const REPORTS = join(ROOT, '.cache', 'test');
const STAGES = [
  { script: 'check', report: 'fast' },
  { script: 'test:host', report: 'host' },
  { script: 'test:guest', report: 'guest' },
];

rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
const stages = STAGES.map(runStage);

for (const { skipped } of stages) for (const line of skipped) console.log(`skipped: ${line}`);
for (const { failures } of stages) for (const line of failures) console.log(`failed: ${line}`);
const sum = (pick) => stages.reduce((total, stage) => total + pick(stage), 0);
console.log(
  `${sum((it) => it.passed)} passed, ${sum((it) => it.failures.length)} failed, ${sum((it) => it.skipped.length)} skipped`,
);
process.exitCode = stages.some((stage) => stage.failures.length > 0) ? 1 : 0;

function runStage({ script, report }) {
  console.log(`\n== npm run ${script}`);
  const file = join(REPORTS, `${report}.json`);
  const options = [
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  const { status } = spawnSync('npm', ['run', '--silent', script, '--', ...options], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const results = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8')).testResults.flatMap(toResults)
    : [];
  const failures = results.filter(({ outcome }) => outcome === 'failed').map(({ line }) => line);
  // Static checks, and a run that died, leave no failed test behind.
  if (status !== 0 && failures.length === 0)
    failures.push(`npm run ${script} (status ${status}, see above)`);
  return {
    passed: results.filter(({ outcome }) => outcome === 'passed').length,
    failures,
    skipped: results.filter(({ outcome }) => outcome === 'skipped').map(({ line }) => line),
  };
}

function toResults(module) {
  const name = relative(ROOT, module.name);
  const results = module.assertionResults.map(({ status, title, ancestorTitles, meta }) => ({
    outcome: status === 'passed' || status === 'failed' ? status : 'skipped',
    line: `${[name, ...ancestorTitles.filter(Boolean), title].join(' > ')}${meta?.skipReason ? `: ${meta.skipReason}` : ''}`,
  }));
  const failedAsFile =
    module.status === 'failed' && !results.some(({ outcome }) => outcome === 'failed');
  return failedAsFile
    ? [...results, { outcome: 'failed', line: `${name}: ${module.message}` }]
    : results;
}
