// Commands for the shell: completion, made from the command tree itself so that it cannot fall behind.
//
// SPDX-License-Identifier: Apache-2.0

import { type Command, Option } from 'commander';
import { completionScript } from '../completion.ts';
import { withExamples } from '../examples.ts';
import { manPage } from '../man-page.ts';
import { done } from '../outcome.ts';
import type { Session } from '../session.ts';

/** Adds `completion` and `man`. */
export function addShellCommands(program: Command, session: Session): void {
  withExamples(
    program.command('completion'),
    ['source <(warder completion bash)', 'for this shell'],
    ['warder completion fish > ~/.config/fish/completions/warder.fish', 'for good'],
  )
    .description('print a completion script')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) => {
      session.finish(completionScript(program, shell));
    });
  withExamples(program.command('man'), ['warder man | man -l -', 'read it'])
    .description('print the manual page')
    .addOption(new Option('--date <date>', 'date in the footer').default('').hideHelp())
    .action(({ date }: { date: string }) => {
      const page = manPage(program, date);
      session.finish(done('ManPage', { page }, page.trimEnd()));
    });
}
