// Completion scripts from the command tree: words only, no calls back into Warder while typing.
//
// SPDX-License-Identifier: Apache-2.0

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expansions of the shell

import type { Command } from 'commander';
import { failure } from '../core/result.ts';
import { done, failed, type Outcome } from './outcome.ts';

/** The script for `bash`, `zsh` or `fish`. */
export function completionScript(program: Command, shell: string): Outcome {
  const write = { bash, zsh, fish }[shell];
  if (write === undefined) {
    return failed('Completion', [
      failure('cli/usage', `no completion for ${JSON.stringify(shell.slice(0, 40))}`, {
        hints: ['bash, zsh and fish are known'],
      }),
    ]);
  }
  const script = write(commandPaths(program));
  return done('Completion', { shell, script }, script);
}

interface CommandPath {
  /** Words after `warder`. */
  readonly path: string;
  readonly words: readonly string[];
}

function commandPaths(command: Command, prefix = ''): readonly CommandPath[] {
  const here: CommandPath = {
    path: prefix,
    words: [
      ...command.commands.map((it) => it.name()),
      ...command.options.filter((it) => !it.hidden).map((it) => it.long ?? it.short ?? ''),
      '--help',
    ],
  };
  const below = command.commands.flatMap((it) =>
    commandPaths(it, prefix === '' ? it.name() : `${prefix} ${it.name()}`),
  );
  return [here, ...below];
}

function bash(paths: readonly CommandPath[]): string {
  const cases = paths.map((it) => `    "${it.path}") words="${it.words.join(' ')}" ;;`);
  return [
    '_warder() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" path="" words="" word',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "$word" in -*) ;; *) path="${path:+$path }$word" ;; esac',
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))',
    '}',
    'complete -F _warder warder',
  ].join('\n');
}

function zsh(paths: readonly CommandPath[]): string {
  return ['autoload -U +X bashcompinit && bashcompinit', bash(paths)].join('\n');
}

function fish(paths: readonly CommandPath[]): string {
  return paths
    .flatMap((it) => {
      const condition =
        it.path === ''
          ? '__fish_use_subcommand'
          : `__fish_seen_subcommand_from ${it.path.split(' ').at(-1)}`;
      return it.words.map((word) => `complete -c warder -n '${condition}' ${fishWord(word)}`);
    })
    .join('\n');
}

function fishWord(word: string): string {
  return word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`;
}
