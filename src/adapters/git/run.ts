// Runs git so that a repository cannot run anything: no hooks, no pager, no file monitor, no
// configuration but its own, no prompts, no replaced objects, an environment from nothing.
//
// SPDX-License-Identifier: Apache-2.0

import { execa } from 'execa';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';

const TIMEOUT_MS = 60_000;
const LINE_CHARS_MAX = 400;
const STDERR_BYTES_MAX = 64 * 1024;
const HARMLESS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.pager': 'cat',
};

/** Where git is and what it may read. */
export interface GitOptions {
  /** Absolute path of the command. */
  readonly gitPath: string;
  /** A work tree or a bare repository. */
  readonly dir: string;
  /** Set when the repository may belong to another user, as in a container. */
  readonly anyOwner?: boolean;
}

/** Runs git once; more than `bytesMax` on stdout is a failure. */
export async function runGit(
  options: GitOptions,
  args: readonly string[],
  bytesMax: number,
  input = '',
): Promise<Result<Uint8Array>> {
  const result = await execa(options.gitPath, args, {
    cwd: options.dir,
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
    maxBuffer: { stdout: bytesMax + 1, stderr: STDERR_BYTES_MAX },
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    reject: false,
    extendEnv: false,
    env: environment(options),
  });
  if (result.stdout.length > bytesMax) {
    return err(failure('publish/too-large', `git printed more than ${bytesMax} bytes`));
  }
  if (!result.failed) return ok(result.stdout);
  const stderr = new TextDecoder().decode(result.stderr ?? new Uint8Array());
  const hints = stderr.includes('dubious ownership')
    ? ['run as the owner of the repository, or say that any owner is fine']
    : [];
  return err(
    failure('publish/tree-unreadable', `git cannot read ${options.dir}`, {
      causes: stderr
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => escapeAndCut(line, LINE_CHARS_MAX)),
      hints,
    }),
  );
}

function environment(options: GitOptions): Record<string, string> {
  const settings = Object.entries({
    ...HARMLESS,
    ...(options.anyOwner === true ? { 'safe.directory': '*' } : {}),
  });
  const env: Record<string, string> = {
    PATH: '/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_COUNT: String(settings.length),
  };
  for (const [at, [key, value]] of settings.entries()) {
    env[`GIT_CONFIG_KEY_${at}`] = key;
    env[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  return env;
}
