// SPDX-License-Identifier: Apache-2.0
// Measures what enforcement costs those whom no rule concerns: instructions added to each operation, in a
// guest whose clock counts them. docs/performance.md has the method and the numbers.
//
//   node bench/bench.ts [--objects 0,1,1000,65536] [--quads 10] [--series 6.1] [--json FILE]
//       [--object FILE] [--apparmor no]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDisk } from '../test/support/guest/disk.ts';
import { bootGuest, type Guest } from '../test/support/guest/guest.ts';
import { loadProfile, PROFILE } from './apparmor.ts';
import { type Comparison, compare, readMeasurements } from './compare.ts';
import { renderTable } from './table.ts';

const FOLDER = '/opt/cost';
const FILES = {
  'warder.node': '../build/native/warder.node',
  'cost-steps.mjs': './cost-steps.mjs',
  cost: '../build/bench/cost',
} as const;

interface Loading {
  readonly programs: number;
  readonly fillMs: number;
  readonly commitMs: number;
}

interface Run {
  readonly objects: number;
  readonly loading: Loading;
  readonly comparisons: readonly Comparison[];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function measure(
  guest: Guest,
  objects: number,
  quads: number,
  profile: string,
): Promise<Run> {
  const files = ['warder.node', 'warder.bpf.o', 'cost'].map((name) => `${FOLDER}/${name}`);
  const ran = await guest.run(
    [
      'node',
      `${FOLDER}/cost-steps.mjs`,
      ...files,
      `${objects}`,
      `${quads}`,
      `/disk/${objects}`,
      profile,
    ],
    { timeoutMs: 0 },
  );
  if (ran.exitCode !== 0) throw new Error(`measuring failed: ${ran.stderr}${ran.stdout}`);
  const [first = '', ...lines] = ran.stdout.trim().split('\n');
  const comparisons = compare(readMeasurements(lines));
  return { objects, loading: JSON.parse(first) as Loading, comparisons };
}

/** git of this machine, which is no part of a guest, with its libraries. */
async function bringGit(guest: Guest): Promise<void> {
  const listed = execFileSync('/usr/bin/ldd', ['/usr/bin/git'], { encoding: 'utf8' });
  const libraries = [...listed.matchAll(/=> (\/\S+)/g)].map(([, path = '']) => path);
  for (const path of ['/usr/bin/git', ...libraries])
    await guest.put(path, readFileSync(realpathSync(path)), 0o755);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      objects: { type: 'string', default: '0,1,1000,65536' },
      quads: { type: 'string', default: '10' },
      series: { type: 'string', default: '6.1' },
      json: { type: 'string' },
      apparmor: { type: 'string', default: 'yes' },
      object: { type: 'string', default: here('../bpf/build/warder.bpf.o') },
    },
  });
  execFileSync('make', ['--silent', '--directory', here('.')], { stdio: 'inherit' });
  const folder = mkdtempSync(join(tmpdir(), 'warder-bench-'));
  try {
    const disk = createDisk(join(folder, 'disk.img'));
    const append = 'lsm=landlock,lockdown,yama,apparmor,bpf apparmor=1';
    await using guest = await bootGuest({ series: values.series, disk, icount: true, append });
    await guest.sh(`mkdir -p ${FOLDER}`);
    for (const [name, source] of Object.entries(FILES))
      await guest.put(`${FOLDER}/${name}`, readFileSync(here(source)), 0o755);
    await guest.put(`${FOLDER}/warder.bpf.o`, readFileSync(values.object));
    await bringGit(guest);
    const reason = values.apparmor === 'no' ? 'as asked' : await loadProfile(guest);
    if (reason !== null) process.stdout.write(`skipped: AppArmor: ${reason}\n`);
    const runs: Run[] = [];
    for (const objects of values.objects.split(',').map(Number)) {
      const run = await measure(
        guest,
        objects,
        Number(values.quads),
        reason === null ? PROFILE : '',
      );
      process.stdout.write(`${renderTable(run.objects, run.loading, run.comparisons)}\n`);
      runs.push(run);
    }
    if (values.json) writeFileSync(values.json, `${JSON.stringify(runs, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
