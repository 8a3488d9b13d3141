// SPDX-License-Identifier: Apache-2.0
// Makes a checkout ready: "make setup".
//
// This file only looks at the Node that runs it, in words that any Node understands: everything else is
// imported after that, because a file that an old Node cannot read would end in a syntax error.

const NODE_MAJOR_MIN = 18;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `error: set-up runs on Node ${NODE_MAJOR_MIN} or newer, this is ${process.version}\n` +
      'hint: install a newer Node; set-up brings the pinned one for everything else\n',
  );
  process.exitCode = 1;
} else void import('./bring.mjs');
