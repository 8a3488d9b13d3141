// The command tree: names, options, help with examples. Each action calls one command function and
// hands its outcome on; nothing here decides anything.
//
// SPDX-License-Identifier: Apache-2.0

import { Command, Option } from 'commander';
import { withExamples } from './examples.ts';
import { groupsFor } from './groups.ts';
import type { Io } from './io.ts';
import type { Session } from './session.ts';

/**
 * Builds the tree; `session.finish` is called once by the action that ran, help goes to `help`. With the first
 * word of a command line, as much of it as that needs.
 */
export async function buildProgram(
  session: Session,
  version: string,
  help: Pick<Io, 'out' | 'err'>,
  word?: string,
): Promise<Command> {
  const program = new Command('warder')
    .description('GitOps controller for kernel-enforced policy')
    .usage('COMMAND [options]')
    .version(version, '-V, --version', 'print the version')
    .addOption(outputOption())
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => help.out(text),
      writeErr: (text) => help.err(text),
      outputError: () => {},
      // Help must not depend on the terminal of whoever makes the reference.
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError(true);
  for (const { heading, load } of groupsFor(word)) {
    if (heading !== undefined) program.commandsGroup(heading);
    (await load())(program, session);
  }
  inherit(program);
  return withExamples(
    program,
    ['warder init policies', 'scaffold a policy repository'],
    ['warder lint', 'find mistakes in policies/, with file:line:column'],
    ['warder publish --key key.pem', 'build, sign, attest and push the bundle of HEAD'],
    ['warder status', 'what this host enforces, and how we know'],
    ['warder explain last', 'why the newest denial happened'],
  ).addHelpText('after', '\nExit codes and error codes: docs/errors.md.');
}

// Commander copies settings only to commands made with .command(); the tree is made that way, but
// the output format must be accepted behind a subcommand too.
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().helpOption('-h, --help', 'print help').helpCommand(false);
    if (child.commands.length === 0) child.addOption(outputOption());
    inherit(child);
  }
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print the outcome (default: text)').choices([
    'text',
    'json',
  ]);
}

const HELP_WIDTH = 100;
