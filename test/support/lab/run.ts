// Runs a program of this machine to its end, with a small environment: nothing of the developer's own
// configuration reaches a laboratory.
//
// SPDX-License-Identifier: Apache-2.0

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const TIMEOUT_MS = 60_000;

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The command under test, as set-up has made it. */
export const WARDER = `${ROOT}bin/warder`;

/** How a program ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program may be given. */
export interface RunSettings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it; a status other than 0 is a result. */
export function tryRun(
  program: string,
  args: readonly string[],
  { cwd = '/', env = {} }: RunSettings = {},
): Promise<Ran> {
  const environment = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    ...env,
  };
  return new Promise((resolve, reject) => {
    const options = { cwd, env: environment, timeout: TIMEOUT_MS };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout, stderr });
      else reject(error);
    });
  });
}

/** Runs it and returns its standard output; a status other than 0 is an error that shows what it said. */
export async function run(
  program: string,
  args: readonly string[],
  settings: RunSettings = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryRun(program, args, settings);
  if (status === 0) return stdout;
  throw new Error(
    `"${program} ${args.join(' ')}" failed with status ${status}\n${stdout}${stderr}`,
  );
}
