// SPDX-License-Identifier: Apache-2.0
// A vitest reporter that writes what the kernel matrix is made of: every test with its state, why it was
// skipped, and what this kernel does in another way.

import { writeFileSync } from 'node:fs';

// biome-ignore lint/style/noDefaultExport: vitest loads a reporter's file by its default export
export default class MatrixReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => {
        const { state, note } = test.result();
        const { differs } = test.meta();
        return { file: module.relativeModuleId, name: test.fullName, state, note, differs };
      }),
    );
    const broken = modules.filter((it) => !it.ok()).map((it) => it.relativeModuleId);
    const errors = unhandledErrors.map(({ message }) => message);
    writeFileSync(process.env.WARDER_MATRIX, JSON.stringify({ tests, broken, errors }));
  }
}
