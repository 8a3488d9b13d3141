// Runs one command line: parse, act, render, answer the exit code. Bugs become `cli/internal` with
// exit 1 and never a stack on the terminal unless WARDER_DEBUG asks for it.
//
// SPDX-License-Identifier: Apache-2.0

import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../core/errors/spec.ts';
import { failure } from '../core/result.ts';
import { enforcedText } from './commands/control.ts';
import type { Io } from './io.ts';
import { failed, type Outcome } from './outcome.ts';
import { buildProgram, isHelpExit } from './program.ts';
import { type OutputFormat, render } from './render.ts';
import type { Services } from './services.ts';
import type { Session } from './session.ts';

/** Runs `argv` (without node and script) and answers the exit code; prints through `io` only. */
export async function runCli(
  argv: readonly string[],
  io: Io,
  services: Services,
  version: string,
): Promise<ExitCode> {
  let outcome: Outcome | null = null;
  let socket: string | null = null;
  const session: Session = {
    io,
    services,
    format: () => formatOf(argv),
    finish: (it, about) => {
      outcome = it;
      socket = about?.socket ?? null;
    },
  };
  const program = buildProgram(session, version);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (isHelpExit(error)) return EXIT.ok;
    outcome = toOutcome(error, services.debug);
  }
  return conclude(io, formatOf(argv), outcome, socket, services);
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

function toOutcome(error: unknown, debug: boolean): Outcome {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    return failed('Usage', [
      failure('cli/usage', message, { hints: ['`warder --help` and `warder COMMAND --help`'] }),
    ]);
  }
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
  render(io, format, outcome, ask ? await stillEnforcing(services, socket ?? '') : null);
  return outcome.exit;
}

// The first thing an operator needs to know when something failed.
async function stillEnforcing(services: Services, socket: string): Promise<string> {
  const status = await services.enforcer(socket).status();
  return status.ok ? enforcedText(status.value.enforced) : 'unknown: the enforcer does not answer';
}
