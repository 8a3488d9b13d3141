// Runs the command line in process and keeps what it printed. A case is one readable file in
// test/cli/cases: the command, the exit code, standard output and standard error, character by character.
// JSON is laid out over lines there, after it was proven to be one document in one line.
//
// What differs between runs (temporary folders, fingerprints of new keys) is replaced by a name.
//
// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run.ts';
import type { Services } from '../../src/cli/services.ts';
import { compose } from '../../src/compose.ts';
import { VERSION } from '../../src/core/product.ts';
import { escapeText } from '../../src/core/text.ts';
import type { ClockPort } from '../../src/ports.ts';

export const NOW_MS = Date.parse('2026-01-10T12:00:00Z');

/** A clock that stands still. */
export const CLOCK: ClockPort = {
  nowMs: () => NOW_MS,
  sleep: async () => {},
  random: () => 0.5,
};

export interface Surroundings {
  readonly cwd?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly services?: Partial<Services>;
  readonly io?: Partial<Io>;
  /** Text that differs between runs, and what stands for it in the case file. */
  readonly names?: ReadonlyMap<string, string>;
  /** The same by pattern; `$1` and its kin are kept. */
  readonly masks?: readonly (readonly [RegExp, string])[];
}

export interface Printed {
  readonly argv: readonly string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line against the real world, except for what `around` replaces. */
export async function run(argv: readonly string[], around: Surroundings = {}): Promise<Printed> {
  const printed = { stdout: '', stderr: '' };
  const io: Io = {
    out: (text) => {
      printed.stdout += text;
    },
    err: (text) => {
      printed.stderr += text;
    },
    color: false,
    progress: false,
    cwd: around.cwd ?? '/',
    signal: new AbortController().signal,
    ...around.io,
  };
  const real = compose(around.variables ?? {});
  const services: Services = { ...real, clock: CLOCK, user: 'operator', ...around.services };
  const exit = await runCli(argv, io, services, VERSION);
  return { argv, exit, ...printed };
}

/** Runs a command line and compares all of it with the file of the case. */
export async function expectCase(
  name: string,
  argv: readonly string[],
  around: Surroundings = {},
): Promise<Printed> {
  const printed = await run(argv, around);
  const file = fileURLToPath(new URL(`../cli/cases/${name}.txt`, import.meta.url));
  await expect(replaced(caseText(printed), around)).toMatchFileSnapshot(file);
  return printed;
}

/** The one JSON document on standard output; fails when there is more, less, or something a terminal obeys. */
export function documentOf(printed: Printed): Record<string, unknown> {
  expect(printed.stdout).toMatch(/^\{[^\n]*\}\n$/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(printed.stdout.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  const document = JSON.parse(printed.stdout);
  expect(document).toMatchObject({ apiVersion: 'warder.dev/cli/v1', exit: printed.exit });
  return document;
}

function caseText(printed: Printed): string {
  const words = escapeText(['warder', ...printed.argv].map(shellWord).join(' '));
  const { stdout } = printed;
  const isDocument = printed.argv.includes('json') && stdout.startsWith('{');
  const out = isDocument ? `${JSON.stringify(documentOf(printed), null, 2)}\n` : stdout;
  return `$ ${words}\nexit ${printed.exit}\n${section('stdout', out)}${section('stderr', printed.stderr)}`;
}

function section(title: string, text: string): string {
  if (text === '') return '';
  return `--- ${title}\n${text}${text.endsWith('\n') ? '' : '\n(no line break at the end)\n'}`;
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function replaced(text: string, { names = new Map(), masks = [] }: Surroundings): string {
  const named = [...names].reduce((result, [from, to]) => result.replaceAll(from, to), text);
  return masks.reduce((result, [from, to]) => result.replace(from, to), named);
}
