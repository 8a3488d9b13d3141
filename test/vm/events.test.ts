// What the kernel tells of its decisions, and how exactly: losses while nobody reads, denials before
// would-denials, stacks, and one event for one open on overlayfs. The real object through the addon.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const FOLDER = '/opt/events';
const FILES = {
  'warder.node': '../../build/native/warder.node',
  'warder.bpf.o': '../../bpf/build/warder.bpf.o',
  'events-steps.mjs': './events-steps.mjs',
} as const;
const FLOOD = 3000;

interface Found {
  readonly overlay: readonly string[];
  readonly again: readonly string[];
  readonly beneath: readonly string[];
  readonly outcome: string;
  readonly flooded: {
    readonly first: { readonly action: string };
    readonly told: number;
    readonly sequences: readonly {
      readonly rise: number;
      readonly told: number;
      readonly dropped: number;
      readonly accounted: boolean;
      readonly distinct: number;
    }[];
    readonly stacks: boolean;
  };
  readonly stackKeys: readonly string[];
  readonly stacksKept: string;
}

let guest: Guest;
let found: Found;

beforeAll(async () => {
  guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  for (const [name, source] of Object.entries(FILES)) {
    await guest.put(
      `${FOLDER}/${name}`,
      readFileSync(fileURLToPath(new URL(source, import.meta.url))),
    );
  }
  const inputs = [`${FOLDER}/warder.node`, `${FOLDER}/warder.bpf.o`];
  const ran = await guest.run(['node', `${FOLDER}/events-steps.mjs`, ...inputs], {
    timeoutMs: 180_000,
  });
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
  found = JSON.parse(ran.stdout) as Found;
});

afterAll(async () => {
  await guest?.stop();
});

describe('an open on overlayfs', () => {
  it('is one event, though the files of two layers are opened and both are covered', () => {
    expect(found.overlay).toEqual(['audit 1']);
    expect(found.again).toEqual(['audit 1']);
  });

  it('leaves the file beneath to be told when it is opened itself', () => {
    expect(found.beneath).toEqual(['audit 1']);
  });
});

describe('case 100: while nobody reads', () => {
  it('every CPU accounts for each of its decisions as told or lost', () => {
    const { sequences, told } = found.flooded;
    for (const cpu of sequences) {
      expect(cpu).toMatchObject({ accounted: true, told: cpu.rise - cpu.dropped });
      expect(cpu.distinct).toBe(cpu.told);
    }
    const sum = (of: (cpu: Found['flooded']['sequences'][number]) => number) =>
      sequences.reduce((total, cpu) => total + of(cpu), 0);
    expect(sum((cpu) => cpu.rise)).toBe(FLOOD + 1);
    expect(sum((cpu) => cpu.dropped)).toBe(FLOOD + 1 - told);
    expect(told).toBeLessThan(FLOOD);
  });

  it('would-denials cannot push out a denial, which is read before them', () => {
    expect(found.outcome).toBe('EACCES');
    expect(found.flooded.first).toMatchObject({ action: 'deny' });
  });
});

describe('stacks', () => {
  it('are recorded for the kernel and for the program, under keys that lead to them', () => {
    expect(found.flooded.stacks).toBe(true);
    const rows = JSON.parse(found.stacksKept) as { key: string[] }[];
    const kept = rows.map(({ key }) =>
      key
        .map((byte) => byte.slice(2).padStart(2, '0'))
        .reverse()
        .join(''),
    );
    expect(kept).toEqual(expect.arrayContaining([...found.stackKeys]));
  });
});
