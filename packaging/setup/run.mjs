// SPDX-License-Identifier: Apache-2.0
// Runs one command for set-up: its output goes to a log file, and only a failure shows the end of it.

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { LOGS, ROOT } from './paths.mjs';

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
const TAIL_LINES = 20;

/**
 * Runs a command to its end and returns what it wrote to standard output; throws SetupError when it fails,
 * calling the command `what` where its arguments would fill a screen.
 */
export function run(command, args, { log = 'setup', cwd = ROOT, env = {}, hint, what } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const full = [command, ...args].join(' ');
  const shown = what ?? full;
  const logFile = writeLog(log, full, result);
  if (result.error?.code === 'ENOENT')
    throw new SetupError(`the command "${command}" is not installed`, { hint });
  if (result.error)
    throw new SetupError(`cannot run "${shown}": ${result.error.message}`, { hint });
  if (result.status !== 0) {
    const how = result.signal
      ? `was ended by ${result.signal}`
      : `failed with status ${result.status}`;
    throw new SetupError(`"${shown}" ${how}${tail(result)}`, {
      hint: hintFor(result.stderr + result.stdout) ?? hint,
      log: logFile,
    });
  }
  return result.stdout;
}

/** Runs a command and returns its standard output, or null when it is missing or fails. */
export function tryRun(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return result.status === 0 ? result.stdout : null;
}

function writeLog(log, shown, result) {
  const file = join(LOGS, `${log}.log`);
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `$ ${shown}\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  return file;
}

function tail(result) {
  const lines = `${result.stdout ?? ''}${result.stderr ?? ''}`
    .trimEnd()
    .split('\n')
    .slice(-TAIL_LINES);
  return lines.join('') === '' ? '' : `\n${lines.map((line) => `  | ${line}`).join('\n')}`;
}

const CAUSES = [
  [/no space left on device|ENOSPC/i, 'the disk is full: free some space and run it again'],
  [
    /could not resolve|temporary failure|unreachable|could not connect|EAI_AGAIN|E(NOTFOUND|CONNREFUSED|TIMEDOUT|NETUNREACH)/i,
    'this step downloads something that the cache does not hold yet: connect to the network and run it again',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|certificate verif/i,
    'the certificate is not trusted here: name your authority to npm (NODE_EXTRA_CA_CERTS) and the system (update-ca-certificates)',
  ],
];

/** Finds in what a command wrote a cause that the command itself does not explain well. */
export function hintFor(output) {
  return CAUSES.find(([pattern]) => pattern.test(output))?.[1];
}
