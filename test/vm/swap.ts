// Runs swap-steps.mjs in a guest, and says what was seen.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bootGuest } from '../support/guest/guest.ts';

const FOLDER = '/opt/swap';
const FILES = {
  'warder.node': '../../build/native/warder.node',
  'warder.bpf.o': '../../bpf/build/warder.bpf.o',
  'swap-steps.mjs': './swap-steps.mjs',
} as const;
const GRACE_S = 120;

interface Counts {
  readonly allowed: number;
  readonly denied: number;
  readonly other: number;
}

/** What a run is to reach, and in how much time at most. */
export interface SwapLoad {
  readonly threads: number;
  readonly commits: number;
  readonly decisions: number;
  readonly seconds: number;
}

/** What was seen. */
export interface Swapped {
  readonly commits: number;
  readonly generations: number;
  readonly decisions: number;
  /** Of opening a file that every generation denies. */
  readonly both: Counts;
  /** Of opening a file that every other generation denies. */
  readonly one: Counts;
  readonly found: {
    readonly events: number;
    /** Of a generation that was never committed. */
    readonly uncommitted: number;
    /** Of a generation that was not current at that moment. */
    readonly stale: number;
    /** With a rule that the generation does not have. */
    readonly foreign: number;
  };
  readonly totals: {
    readonly sequence: number;
    readonly emitted: number;
    readonly dropped: number;
    readonly denied: number;
    readonly incomplete: number;
  };
}

/** Boots a guest for one run. */
export async function runSwap(load: SwapLoad): Promise<Swapped> {
  await using guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  for (const [name, source] of Object.entries(FILES)) {
    const path = fileURLToPath(new URL(source, import.meta.url));
    await guest.put(`${FOLDER}/${name}`, readFileSync(path));
  }
  const { threads, commits, decisions, seconds } = load;
  const files = [`${FOLDER}/warder.node`, `${FOLDER}/warder.bpf.o`];
  const inputs = [...files, ...[threads, commits, decisions, seconds].map(String)];
  const ran = await guest.run(['node', `${FOLDER}/swap-steps.mjs`, ...inputs], {
    timeoutMs: (seconds + GRACE_S) * 1000,
  });
  if (ran.exitCode !== 0 || ran.stderr !== '') throw new Error(`${ran.exitCode}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as Swapped;
}
