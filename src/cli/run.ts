// Runs one command line: parse, act, render, answer the exit code. Bugs become `cli/internal` with
// exit 1 and never a stack on the terminal unless WARDER_DEBUG asks for it.
//
// SPDX-License-Identifier: Apache-2.0

import { type Command, CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../core/errors/spec.ts';
import { failure } from '../core/result.ts';
import { enforcedText } from './commands/control.ts';
import { withHint } from './hints.ts';
import type { Io } from './io.ts';
import { failed, type Outcome } from './outcome.ts';
import { buildProgram } from './program.ts';
import { type OutputFormat, render } from './render.ts';
import type { Services } from './services.ts';
import type { Session } from './session.ts';
import { helpOutcome, isAskedFor, usageOutcome } from './usage.ts';

/** Runs `argv` (without node and script) and answers the exit code; prints through `io` only. */
export async function runCli(
  argv: readonly string[],
  io: Io,
  services: Services,
  version: string,
): Promise<ExitCode> {
  const format = formatOf(argv);
  let outcome: Outcome | null = null;
  let socket: string | null = null;
  let help = '';
  // Help is a document too when documents are asked for.
  const helpIo = {
    out: (text: string) => {
      help += text;
    },
    err: (text: string) => {
      help += text;
    },
  };
  const session: Session = {
    io,
    services,
    format: () => format,
    finish: (it, about) => {
      outcome = it;
      socket = about?.socket ?? null;
    },
  };
  const program = await buildProgram(session, version, helpIo, argv[0]);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      outcome = onCommander(error, argv, program, help, io, format);
      if (outcome === null) return EXIT.usage;
    } else outcome = internal(error, services.debug);
  }
  return conclude(io, format, outcome, socket, services);
}

// Null when there is nothing left to say: a command was missing, and help told which there are.
function onCommander(
  error: CommanderError,
  argv: readonly string[],
  program: Command,
  help: string,
  io: Io,
  format: OutputFormat,
): Outcome | null {
  if (!isAskedFor(error)) {
    if (help === '' || format === 'json') return usageOutcome(program, argv, error);
    io.err(help);
    return null;
  }
  if (format === 'text') io.out(help);
  return helpOutcome(error, help);
}

// The format must be known even when parsing failed, so it is read from the words themselves.
function formatOf(argv: readonly string[]): OutputFormat {
  const json = argv.some(
    (word, index) =>
      word === '--output=json' ||
      word === '-ojson' ||
      (word === 'json' && ['--output', '-o'].includes(argv[index - 1] ?? '')),
  );
  return json ? 'json' : 'text';
}

function internal(error: unknown, debug: boolean): Outcome {
  const text =
    error instanceof Error ? (debug ? String(error.stack) : error.message) : String(error);
  return failed('Internal', [
    failure('cli/internal', 'a bug in Warder', {
      causes: [text],
      hints: ['set WARDER_DEBUG=1 for the stack, and report it'],
    }),
  ]);
}

async function conclude(
  io: Io,
  format: OutputFormat,
  outcome: Outcome | null,
  socket: string | null,
  services: Services,
): Promise<ExitCode> {
  if (outcome === null) return EXIT.ok;
  const ask = outcome.failures.length > 0 && socket !== null;
  const still = ask ? await stillEnforcing(services, socket ?? '', outcome) : null;
  render(io, format, { ...outcome, failures: outcome.failures.map(withHint) }, still);
  return outcome.exit;
}

// The first thing an operator needs to know when something failed. Who did not answer just now is
// not asked again.
async function stillEnforcing(
  services: Services,
  socket: string,
  outcome: Outcome,
): Promise<string> {
  const silent = outcome.failures.some((it) => it.code === 'host/enforcer-unavailable');
  const status = silent ? null : await services.enforcer(socket).status();
  return status?.ok === true
    ? enforcedText(status.value.enforced)
    : 'unknown, the enforcer does not answer; what the kernel holds stays in force';
}
