// What the command line says of itself: help of every command, and what it says to a mistake.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { examplesOf } from '../../src/cli/examples.ts';
import { GROUPS } from '../../src/cli/groups.ts';
import { buildProgram } from '../../src/cli/program.ts';
import type { Session } from '../../src/cli/session.ts';
import { VERSION } from '../../src/core/product.ts';
import { documentOf, expectCase, run } from '../support/cli.ts';

const program = await buildProgram({} as Session, VERSION, { out: () => {}, err: () => {} });

interface Node {
  readonly words: readonly string[];
  readonly command: Command;
}

function nodes(command: Command, words: readonly string[]): readonly Node[] {
  const below = command.commands.flatMap((it) => nodes(it, [...words, it.name()]));
  return [{ words, command }, ...below];
}

const ALL = nodes(program, []);

describe('a group of commands', () => {
  it.each(GROUPS.map((it) => [it.names[0] ?? '', it] as const))(
    'is loaded alone for each of its commands: %s …',
    async (_name, { names }) => {
      const silent = { out: () => {}, err: () => {} };
      const isAlone = !names.includes('man');
      for (const name of names) {
        const tree = await buildProgram({} as Session, VERSION, silent, name);
        const found = tree.commands.map((it) => it.name());
        expect(found).toEqual(isAlone ? names : program.commands.map((it) => it.name()));
      }
    },
  );
});

describe('help', () => {
  it.each(ALL.map((it) => [['warder', ...it.words].join(' '), it] as const))(
    'of %s is printed on standard output',
    async (name, { words }) => {
      const printed = await expectCase(`help-${name.replaceAll(' ', '-')}`, [...words, '--help']);
      expect(printed).toMatchObject({ exit: 0, stderr: '' });
    },
  );

  it.each(ALL.filter((it) => it.command.commands.length === 0 || it.words.length === 0))(
    'has examples that the command line itself takes ($words)',
    ({ command }) => {
      const examples = examplesOf(command);
      expect(examples.length).toBeGreaterThan(0);
      for (const [line] of examples) expect(line).toMatch(/\bwarder [a-z]/);
    },
  );

  it('is one document for machines', async () => {
    expect(documentOf(await run(['lint', '--help', '-o', 'json']))).toMatchObject({ kind: 'Help' });
    expect(documentOf(await run(['--version', '-o', 'json']))).toMatchObject({ version: VERSION });
  });

  it('fits 100 columns, examples aside', async () => {
    for (const { words } of ALL) {
      const { stdout } = await run([...words, '--help']);
      const [text = ''] = stdout.split('\nExamples:');
      expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    }
  });
});

describe('a mistake on the command line', () => {
  it.each([
    ['unknown-command', ['lnit']],
    ['unknown-subcommand', ['key', 'generat']],
    ['unknown-option', ['status', '--sockt', '/x']],
    ['missing-option', ['publish']],
    ['missing-argument', ['explain']],
    ['missing-value', ['status', '--socket']],
    ['excess-argument', ['status', 'now']],
    ['bad-format', ['status', '--output', 'yaml']],
    ['bad-number', ['events', '--limit', '0']],
    ['bad-digest', ['build', '--previous', 'sha256:12']],
    ['bad-endpoint', ['verify', 'a.example/b:c', '--trust', 't', '--endpoint', 'x']],
    ['bad-reference', ['verify', 'policies', '--trust', '/dev/null']],
    ['bad-shell', ['completion', 'csh']],
    ['no-command', []],
    ['no-subcommand', ['config']],
  ])('is named, with where to look: %s', async (name, argv) => {
    const printed = await expectCase(`usage-${name}`, argv);
    expect(printed).toMatchObject({ exit: 2, stdout: '' });
    const json = await run([...argv, '--output=json']);
    if (name !== 'bad-format') expect(documentOf(json)).toMatchObject({ ok: false, exit: 2 });
  });
});

describe('colour', () => {
  it('is only on the label, and only when the terminal wants it', async () => {
    const plain = await run(['lnit']);
    const colored = await run(['lnit'], { io: { color: true } });
    expect(colored.stderr).toBe(plain.stderr.replace('error:', '\u001b[1;31merror:\u001b[0m'));
  });
});

describe('a bug', () => {
  const agentStatus = async () => {
    throw new Error('a bug\u001b[2J');
  };

  it('is told without a stack, and with one when asked', async () => {
    await expectCase('internal', ['status'], { services: { agentStatus } });
    const services = { agentStatus, debug: true };
    const printed = await run(['status', '-o', 'json'], { services });
    expect(JSON.stringify(documentOf(printed))).toContain('usage.test.ts');
  });
});

describe('scripts for the shell', () => {
  it('complete every command and option', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { stdout, exit } = await run(['completion', shell]);
      expect(exit).toBe(0);
      for (const { words } of ALL) expect(stdout).toContain(words.at(-1) ?? 'warder');
    }
  });

  it('hold a manual page with every command', async () => {
    const { stdout } = await run(['man']);
    const pages = ALL.map(({ words }) => words.join(' ').replaceAll('-', '\\-'));
    for (const words of pages) expect(stdout).toContain(words);
  });
});
