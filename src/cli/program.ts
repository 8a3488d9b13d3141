// The command tree: names, options, help with examples. Each action calls one command function and
// hands its outcome on; nothing here decides anything.
//
// SPDX-License-Identifier: Apache-2.0

import { Command, CommanderError, Option } from 'commander';
import { addHostCommands } from './groups/host.ts';
import { addPublisherCommands } from './groups/publisher.ts';
import { addShellCommands } from './groups/shell.ts';
import type { Session } from './session.ts';

/** Builds the tree; `session.finish` is called once by the action that ran. */
export function buildProgram(session: Session, version: string): Command {
  const program = new Command('warder')
    .description('GitOps controller for kernel-enforced policy')
    .version(version, '-V, --version', 'print the version')
    .addOption(
      new Option('-o, --output <format>', 'how to print the outcome')
        .choices(['text', 'json'])
        .default('text'),
    )
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => session.io.out(text),
      writeErr: (text) => session.io.err(text),
      outputError: () => {},
    })
    .showSuggestionAfterError(true);
  addPublisherCommands(program, session);
  addHostCommands(program, session);
  addShellCommands(program, session);
  inherit(program);
  program.addHelpText('after', EXAMPLES);
  return program;
}

// Commander copies settings only to commands made with .command(); the tree is made that way, but
// the output format must be accepted behind a subcommand too.
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().helpOption('-h, --help', 'print help');
    if (child.commands.length === 0) {
      child.addOption(
        new Option('-o, --output <format>', 'how to print the outcome').choices(['text', 'json']),
      );
    }
    inherit(child);
  }
}

/** True for the errors by which commander ends after --help and --version. */
export function isHelpExit(error: unknown): boolean {
  return (
    error instanceof CommanderError &&
    ['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(error.code)
  );
}

const EXAMPLES = `
Examples:
  warder init policies                      scaffold a policy repository
  warder lint policies/                     find mistakes, with file:line:column
  warder publish --key key.pem              build, sign, attest and push the bundle of HEAD
  warder verify registry.example.com/policies:prod --trust trust.yaml
  warder status                             what this host enforces, and how we know
  warder explain last                       why the newest denial happened

Exit codes: docs/errors.md. Every command takes --output json.
`;
