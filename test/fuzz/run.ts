// `make fuzz`: every target in turn for its share of FUZZ_SECONDS (default 60), or FUZZ_TARGET alone. A finding
// is written to .cache/fuzz/ and ends the run with status 1; it becomes a case of the tests of its reader.
//
//   FUZZ_SECONDS=600 FUZZ_SEED=7 FUZZ_TARGET=bundle node test/fuzz/run.ts
//
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fuzz } from './fuzz.ts';
import { makeChance } from './mutate.ts';
import { makeTargets } from './targets.ts';

const FINDINGS = fileURLToPath(new URL('../../.cache/fuzz/', import.meta.url));
const seconds = Number(process.env['FUZZ_SECONDS'] ?? '60');
const seed = Number(process.env['FUZZ_SEED'] ?? String(Date.now() % 1_000_000));
const wanted = process.env['FUZZ_TARGET'];
const targets = (await makeTargets()).filter((it) => wanted === undefined || it.name === wanted);
const say = (line: string) => process.stdout.write(`${line}\n`);
if (targets.length === 0 || !(seconds > 0)) {
  say('error: FUZZ_TARGET names no target, or FUZZ_SECONDS is no time');
  process.exit(2);
}

say(`seed ${seed}, ${seconds} s for ${targets.length} targets`);
let total = 0;
let found = 0;
for (const [at, target] of targets.entries()) {
  const end = performance.now() + (seconds / targets.length) * 1000;
  const report = await fuzz(target, makeChance(seed + at), () => performance.now() >= end);
  total += report.executions;
  found += report.findings.length;
  const { executions, outcomes, findings } = report;
  say(
    [target.name.padEnd(14), String(executions).padStart(9), `${outcomes} outcomes`].join('  ') +
      (findings.length === 0 ? '' : `  ${findings.length} FINDINGS`),
  );
  for (const [number, { why, input }] of findings.entries()) {
    mkdirSync(FINDINGS, { recursive: true });
    const file = `${FINDINGS}${target.name}-${seed}-${number}`;
    writeFileSync(file, input);
    say(`  ${why}\n  ${file}`);
  }
}
for (const it of targets) it.close?.();
say(`${total} executions, ${found} findings`);
process.exitCode = found === 0 ? 0 : 1;
