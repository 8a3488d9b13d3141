// Examples of commands, kept with the command tree so that help, the manual page and the reference say
// the same. A test runs every help; the guides run the commands.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';

/** A command line that can be copied, and what it is for. */
export type Example = readonly [line: string, purpose: string];

const EXAMPLES = new WeakMap<Command, readonly Example[]>();

/** Gives a command its examples; its help shows them last. */
export function withExamples(command: Command, ...examples: readonly Example[]): Command {
  EXAMPLES.set(command, examples);
  return command.addHelpText('after', () => `\n${examplesText(examples)}`);
}

/** The examples of a command; empty when it has none. */
export function examplesOf(command: Command): readonly Example[] {
  return EXAMPLES.get(command) ?? [];
}

function examplesText(examples: readonly Example[]): string {
  const rows = examples.map(([line, purpose]) => `  ${line}\n      ${purpose}`);
  return `Examples:\n${rows.join('\n')}`;
}
