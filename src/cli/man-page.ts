// The manual page, made from the command tree.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';
import { examplesOf } from './examples.ts';

/** warder(1) in man(7) format. The date is an argument: output must not depend on when it is made. */
export function manPage(program: Command, date: string): string {
  return [
    `.TH WARDER 1 "${date}" "warder ${program.version() ?? ''}" "User Commands"`,
    '.SH NAME',
    `warder \\- ${roff(program.description())}`,
    '.SH SYNOPSIS',
    '.B warder',
    '.I COMMAND',
    '[\\fIOPTIONS\\fR]',
    '.SH COMMANDS',
    ...leaves(program, []).flatMap(commandSection),
    '.SH EXIT STATUS',
    'See docs/errors.md: 0 is success, every other class of failure has its own number.',
    '',
  ].join('\n');
}

interface Leaf {
  readonly words: readonly string[];
  readonly command: Command;
}

function leaves(command: Command, words: readonly string[]): readonly Leaf[] {
  return command.commands.flatMap((it) => {
    const path = [...words, it.name()];
    return it.commands.length === 0 ? [{ words: path, command: it }] : leaves(it, path);
  });
}

function commandSection({ words, command }: Leaf): readonly string[] {
  const usage = command.registeredArguments.map((it) => {
    const name = it.variadic ? `${it.name()}...` : it.name();
    return it.required ? `<${name}>` : `[${name}]`;
  });
  const options = command.options
    .filter((it) => !it.hidden)
    .flatMap((it) => ['.RS', '.TP', `.B ${roff(it.flags)}`, roff(it.description), '.RE']);
  const examples = examplesOf(command).flatMap(([line, purpose]) => [
    '.RS',
    '.TP',
    `Example: ${roff(line)}`,
    roff(purpose),
    '.RE',
  ]);
  return [
    '.TP',
    `.B warder ${roff([...words, ...usage].join(' '))}`,
    roff(command.description()),
    ...options,
    ...examples,
  ];
}

function roff(text: string): string {
  return text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/^\./gm, '\\&.');
}
