// SPDX-License-Identifier: Apache-2.0
// A vitest reporter that writes what "make test" sums up: passed tests counted, the others by name.
//
// vitest's own JSON report leaves out why a test was skipped (the text given to context.skip()).

import { writeFileSync } from 'node:fs';

const NO_REASON = 'no reason given';

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter's file by its default export
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: [], skipped: [] };
    for (const module of modules) addModule(summary, module);
    for (const error of unhandledErrors) summary.failed.push(`outside any test: ${error.message}`);
    writeFileSync(process.env.WARDER_TEST_SUMMARY, JSON.stringify(summary));
  }
}

function addModule(summary, module) {
  let failures = 0;
  for (const test of module.children.allTests()) {
    const { state, note } = test.result();
    const name = `${module.relativeModuleId} > ${test.fullName}`;
    if (state === 'passed') summary.passed += 1;
    else if (state === 'skipped') summary.skipped.push(`${name}: ${note ?? NO_REASON}`);
    else {
      failures += 1;
      summary.failed.push(name);
    }
  }
  // A file that cannot be loaded has no tests, and a hook that throws leaves them skipped.
  if (!module.ok() && failures === 0) summary.failed.push(`${module.relativeModuleId} as a whole`);
}
