// What is kept of earlier walks never differs from the walk: a storm of renames, exchanges, links, mounts and
// removals by a dozen threads, under swaps, in objects that compare every kept answer. With a fault planted
// in what is kept, the same storm shows differences, so the comparison sees what it is for.
//
// WARDER_SOAK=1 (make soak) asks for a million comparisons, on two file systems.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDisk } from '../support/guest/disk.ts';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const SOAK = process.env['WARDER_SOAK'] === '1';
const ENOUGH = SOAK
  ? { kept: 550_000, seconds: 900 } // on each file system
  : { kept: 5_000, seconds: 60 };
const PLANTED_SECONDS = SOAK ? 300 : 60;
const GRACE_MS = 60_000;
const FOLDER = '/opt/oracle';
const OBJECTS = ['oracle', 'planted-1', 'planted-2', 'planted-3'] as const;
const FAULTS = [
  ['planted-1', 'moves'],
  ['planted-2', 'generations'],
  ['planted-3', 'names'],
] as const;

interface Stormed {
  readonly rejected: readonly string[];
  readonly swaps: number;
  readonly oracle: {
    readonly kept: number;
    readonly fresh: number;
    readonly moved: number;
    readonly different: number;
  };
  readonly rounds: Readonly<Record<string, number>>;
  readonly totals: { readonly decisions: number; readonly denied: number };
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let guest: Guest;

beforeAll(async () => {
  execFileSync('make', ['--silent', '--directory', here('../../bpf'), 'oracles']);
  folder = mkdtempSync(join(tmpdir(), 'warder-oracle-'));
  guest = await bootGuest({ disk: createDisk(join(folder, 'disk.img')) });
  await guest.sh(`mkdir -p ${FOLDER}`);
  const put = async (name: string, source: string): Promise<void> =>
    guest.put(`${FOLDER}/${name}`, readFileSync(here(source)));
  await put('warder.node', '../../build/native/warder.node');
  await put('oracle-steps.mjs', './oracle-steps.mjs');
  for (const name of OBJECTS) await put(`${name}.bpf.o`, `../../bpf/build/${name}.bpf.o`);
});

afterAll(async () => {
  await guest?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function storm(
  object: string,
  dir: string,
  until: { readonly count: string; readonly enough: number; readonly seconds: number },
): Promise<Stormed> {
  const { count, enough, seconds } = until;
  const files = [`${FOLDER}/warder.node`, `${FOLDER}/${object}.bpf.o`];
  const ran = await guest.run(
    ['node', `${FOLDER}/oracle-steps.mjs`, ...files, dir, count, `${enough}`, `${seconds}`],
    { timeoutMs: seconds * 1000 + GRACE_MS },
  );
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  const stormed = JSON.parse(ran.stdout) as Stormed;
  process.stdout.write(`${object} in ${dir}: ${JSON.stringify(stormed)}\n`);
  return stormed;
}

const PLACES = SOAK ? ['/disk/storm', '/run/storm'] : ['/disk/storm'];

describe.each(PLACES)('a storm in %s', (dir) => {
  it('never makes a kept answer differ from the walk', {
    timeout: ENOUGH.seconds * 1000 + 2 * GRACE_MS,
  }, async () => {
    const { rejected, oracle, rounds, totals, swaps } = await storm('oracle', dir, {
      count: 'kept',
      enough: ENOUGH.kept,
      seconds: ENOUGH.seconds,
    });
    expect(rejected).toEqual([]);
    expect(oracle.different).toBe(0);
    expect(oracle.kept).toBeGreaterThanOrEqual(ENOUGH.kept);
    // The storm blew, and the rules bit.
    expect(swaps).toBeGreaterThan(5);
    expect(totals.denied).toBeGreaterThan(0);
    expect(Object.values(rounds).every((it) => it > 0)).toBe(true);
  });
});

describe('an object that forgets', () => {
  it.each(FAULTS)(
    '%s: %s are seen to be forgotten',
    { timeout: PLANTED_SECONDS * 1000 + 2 * GRACE_MS },
    async (object) => {
      const { rejected, oracle } = await storm(object, `/run/${object}`, {
        count: 'different',
        enough: 1,
        seconds: PLANTED_SECONDS,
      });
      expect(rejected).toEqual([]);
      expect(oracle.different).toBeGreaterThan(0);
    },
  );
});
