// What commander throws, as an outcome: help and version that were asked for are successes, everything
// else is a usage error that names what was typed and where to look.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command, CommanderError } from 'commander';
import { failure } from '../core/result.ts';
import { done, failed, type Outcome } from './outcome.ts';

const ASKED_FOR: readonly string[] = ['commander.helpDisplayed', 'commander.version'];
const SUGGESTION = /^([\s\S]*?)\n?\((Did you mean [\s\S]*)\)$/;

/** True when `--help` or `--version` was asked for and printed. */
export function isAskedFor(error: CommanderError): boolean {
  return ASKED_FOR.includes(error.code);
}

/** The document of `--help` or `--version`, for machines. */
export function helpOutcome(error: CommanderError, printed: string): Outcome {
  return error.code === 'commander.version'
    ? done('Version', { version: printed.trim() }, '')
    : done('Help', { help: printed }, '');
}

/** The usage error of a command line that commander did not take. */
export function usageOutcome(
  program: Command,
  argv: readonly string[],
  error: CommanderError,
): Outcome {
  const words = findCommand(program, argv);
  const look = `see \`${[...words, '--help'].join(' ')}\``;
  // Commander ends so when a command is missing, after it has printed help to standard error.
  if (error.code === 'commander.help') {
    return failed('Usage', [
      failure('cli/usage', `${words.join(' ')} needs a command`, { hints: [look] }),
    ]);
  }
  const text = error.message.replace(/^error: /, '');
  const [, message = text, suggestion = null] = SUGGESTION.exec(text) ?? [];
  const hints = suggestion === null ? [look] : [lowerFirst(suggestion), look];
  return failed('Usage', [failure('cli/usage', message.trim(), { hints })]);
}

// The words of the deepest command that was named, so that the hint points at its help.
function findCommand(program: Command, argv: readonly string[]): readonly string[] {
  let here = program;
  const words = [program.name()];
  for (const word of argv) {
    const next = here.commands.find((it) => it.name() === word);
    if (next === undefined) continue;
    here = next;
    words.push(word);
  }
  return words;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
