// The command reference and the manual page, from the command tree itself.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';
import { manPage } from '../../src/cli/man-page.ts';
import { buildProgram } from '../../src/cli/program.ts';
import type { Session } from '../../src/cli/session.ts';
import { VERSION } from '../../src/core/product.ts';

// The tree is only described, never run: nothing of a session is touched.
const program: Command = await buildProgram({} as Session, VERSION, {
  out: () => {},
  err: () => {},
});

/** docs/reference/commands.md. */
export function commandReference(): string {
  const sections = leaves(program, ['warder']).map(({ words, command }) =>
    [`## ${words.join(' ')}`, '', '```', helpOf(command).trimEnd(), '```', ''].join('\n'),
  );
  return `# Commands\n\nEvery command takes \`--output json\` and then prints exactly one document.\n\n${sections.join('\n')}`;
}

/** packaging/man/warder.1. */
export function manualPage(): string {
  return manPage(program, '');
}

// What `--help` prints, examples included.
function helpOf(command: Command): string {
  let printed = '';
  command.configureOutput({
    writeOut: (text) => {
      printed += text;
    },
  });
  command.outputHelp();
  return printed;
}

function leaves(
  command: Command,
  words: readonly string[],
): readonly { readonly words: readonly string[]; readonly command: Command }[] {
  return command.commands.flatMap((it) => {
    const path = [...words, it.name()];
    return it.commands.length === 0 ? [{ words: path, command: it }] : leaves(it, path);
  });
}
