// The guides do what they say: every block marked `sh run` is executed, in order, in an empty folder, with
// bin/warder on PATH. Blocks marked `sh host` need an enforcing host; they are checked word by word
// against the command tree instead.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/program.ts';
import type { Session } from '../../src/cli/session.ts';
import { VERSION } from '../../src/core/product.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GUIDES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((it) => `docs/${it}`)].filter(
  (it) => it.endsWith('.md'),
);
const program = await buildProgram({} as Session, VERSION, { out: () => {}, err: () => {} });

/** The fenced blocks of a document with this info string. */
function blocks(document: string, info: string): readonly string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```([^\n`]*)\n([\s\S]*?)^```$/gm)]
    .filter((it) => it[1] === info)
    .map((it) => it[2] ?? '');
}

const RUNNABLE = GUIDES.filter((it) => blocks(it, 'sh run').length > 0);

describe.skipIf(!existsSync(join(ROOT, 'bin/warder')))(
  'guides (bin/warder is made by setup)',
  () => {
    it.each(RUNNABLE)('%s works as it is written', (document) => {
      const dir = mkdtempSync(join(tmpdir(), 'warder-guide-'));
      try {
        execFileSync('/bin/sh', ['-eu', '-c', blocks(document, 'sh run').join('\n')], {
          cwd: dir,
          encoding: 'utf8',
          stdio: 'pipe',
          env: {
            PATH: `${join(ROOT, 'bin')}:${process.env['PATH']}`,
            HOME: dir,
            GIT_CONFIG_NOSYSTEM: '1',
            GIT_AUTHOR_NAME: 'author',
            GIT_AUTHOR_EMAIL: 'author@example.com',
            GIT_COMMITTER_NAME: 'author',
            GIT_COMMITTER_EMAIL: 'author@example.com',
          },
        });
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  },
);

describe('commands that need an enforcing host', () => {
  const lines = GUIDES.flatMap((document) =>
    blocks(document, 'sh host')
      .flatMap((block) => block.split(/\n|&&/))
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => line.startsWith('warder '))
      .map((line) => [document, line] as const),
  );

  it.each(lines)('%s names only what is there: %s', (_document, line) => {
    expect(
      problemOf(
        line
          .replaceAll(/'[^']*'/g, 'TEXT')
          .split(/ +/)
          .slice(1),
      ),
    ).toBeNull();
  });

  it('are named in the guides', () => {
    const words = new Set(lines.map(([, line]) => line.split(' ')[1]));
    for (const word of ['status', 'events', 'explain', 'rollback', 'resume', 'disable', 'config']) {
      expect(words).toContain(word);
    }
  });
});

// A word that is neither a command nor an option of it; null when there is none.
function problemOf(words: readonly string[]): string | null {
  let here: Command = program;
  for (const word of words) {
    const next = here.commands.find((it) => it.name() === word);
    if (next !== undefined) here = next;
    else if (here.commands.length > 0) return word;
    else if (/^-/.test(word) && !here.options.some((it) => it.short === word || it.long === word))
      return word;
  }
  return here.commands.length > 0 ? 'a command is missing' : null;
}
