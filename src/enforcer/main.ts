// warder-enforcer [--config FILE] [--repair | --facts]: the privileged process. The only place here that sets the exit code.
// When it ends, however it ends, the kernel goes on enforcing.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../adapters/clock/system-clock.ts';
import { EXIT, type ExitCode } from '../core/errors/spec.ts';
import { ERRORS } from '../core/errors.ts';
import { VERSION } from '../core/product.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { type EnforcerConfig, parseEnforcerConfig } from '../wire/enforcer-config.ts';
import { composeEnforcer, probeHost, repairEnforcer } from './compose.ts';

const clock = systemClock();

// Before the call below: what comes after it is not there yet.
const OPTIONS = {
  config: { type: 'string', default: '/etc/warder/enforcer.yaml' },
  repair: { type: 'boolean', default: false },
  facts: { type: 'boolean', default: false },
} as const;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<ExitCode> {
  const options = readArguments(args);
  if (!options.ok) return refuse(options.error);
  if (options.value.facts) {
    process.stdout.write(`${JSON.stringify(probeHost())}\n`);
    return EXIT.ok;
  }
  const config = readConfig(options.value.config);
  if (!config.ok) return refuse(config.error);
  const configPath = resolve(options.value.config);
  const around = { clock, version: VERSION, configPath, log };
  if (options.value.repair) {
    const repaired = await repairEnforcer(config.value, around);
    if (!repaired.ok) return refuse(repaired.error);
    log('info', `repaired, enforcing: ${repaired.value}`, null);
    return repaired.value === 'yes' ? EXIT.ok : EXIT.activation;
  }
  const running = await composeEnforcer(config.value, around);
  if (!running.ok) return refuse(running.error);
  const stop = new Promise<null>((resolve) => {
    process.once('SIGTERM', () => resolve(null));
    process.once('SIGINT', () => resolve(null));
  });
  process.on('SIGHUP', () => void running.value.reload());
  const bug = running.value.bug.then((cause) => ({ cause }));
  const ended = await Promise.race([stop, bug]);
  if (ended !== null) logBug(ended.cause);
  await running.value.close();
  return ended === null ? EXIT.ok : EXIT.internal;
}

/** The stack goes to the journal: a restart makes the process fit again, not the bug known. */
function logBug(cause: unknown): void {
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  log('warn', `a bug ended a request, starting again: ${stack}`, null);
}

interface EnforcerOptions {
  readonly config: string;
  readonly repair: boolean;
  readonly facts: boolean;
}

function readArguments(args: readonly string[]): Result<EnforcerOptions> {
  try {
    return ok(parseArgs({ args: [...args], options: OPTIONS }).values);
  } catch (cause) {
    // parseArgs throws TypeErrors with a code for what a user typed.
    if (!(cause instanceof TypeError)) throw cause;
    return err(
      failure('cli/usage', cause.message, {
        hints: ['warder-enforcer [--config FILE] [--repair | --facts]'],
      }),
    );
  }
}

function readConfig(path: string): Result<EnforcerConfig> {
  try {
    return parseEnforcerConfig(readFileSync(path), path);
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    return err(failure('config/unreadable', `cannot read ${path}`, { causes: [cause.message] }));
  }
}

/** One JSON document per line: the journal keeps them, people and programs read them. */
function log(level: 'info' | 'warn', message: string, alert: Failure | null): void {
  const at = new Date(clock.nowMs()).toISOString();
  process.stderr.write(`${JSON.stringify({ at, level, message, ...(alert ? { alert } : {}) })}\n`);
}

function refuse({ code, message, causes, hints, at }: Failure): ExitCode {
  const where = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `;
  const lines = [
    `error: ${where}${message}`,
    `  code: ${code}`,
    ...causes.map((it) => `  caused by: ${it}`),
    ...hints.map((it) => `hint: ${it}`),
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  return ERRORS[code].exit;
}
