// Turns an outcome into output. People read: what failed, its code, causes, what is still enforced,
// then hints. Machines read exactly one JSON document on standard output, in success and in failure.
//
// Text that came from outside was escaped where it was put into a line; escaping again here is
// harmless for printable text and keeps a forgotten place from steering the terminal (X03). In JSON the
// escapes of escapeText are JSON's own: they change how a character is written, not which one it is.
//
// SPDX-License-Identifier: Apache-2.0

import { EXIT } from '../core/errors/spec.ts';
import type { Failure } from '../core/result.ts';
import { escapeText } from '../core/text.ts';
import type { Io } from './io.ts';
import type { Outcome } from './outcome.ts';

export type OutputFormat = 'text' | 'json';

/** Version of every JSON document that a command prints. */
export const CLI_API_VERSION = 'warder.dev/cli/v1';

/** Prints an outcome; `stillEnforcing` is null for commands that have nothing to do with a host. */
export function render(
  io: Io,
  format: OutputFormat,
  outcome: Outcome,
  stillEnforcing: string | null,
): void {
  if (format === 'json') {
    io.out(jsonLine(toDocument(outcome, stillEnforcing)));
    return;
  }
  if (outcome.text !== '') io.out(`${escapeLines(outcome.text)}\n`);
  if (outcome.failures.length > 0) io.err(renderFailures(io, outcome.failures, stillEnforcing));
}

/** A JSON document in one line that no terminal obeys. */
export function jsonLine(document: object): string {
  return `${escapeText(JSON.stringify(document))}\n`;
}

function escapeLines(text: string): string {
  return text.split('\n').map(escapeText).join('\n');
}

function toDocument(outcome: Outcome, stillEnforcing: string | null): object {
  return {
    apiVersion: CLI_API_VERSION,
    kind: outcome.kind,
    ok: outcome.exit === EXIT.ok,
    exit: outcome.exit,
    ...outcome.document,
    ...(outcome.failures.length === 0 ? {} : { errors: outcome.failures }),
    ...(outcome.failures.length === 0 || stillEnforcing === null ? {} : { stillEnforcing }),
  };
}

/** The text of failures, in the order of docs/errors.md. Ends with a newline. */
function renderFailures(
  io: Pick<Io, 'color'>,
  failures: readonly Failure[],
  stillEnforcing: string | null,
): string {
  const blocks = failures.map((it) => renderFailure(io, it));
  const enforcing = stillEnforcing === null ? '' : `still enforcing: ${stillEnforcing}\n`;
  const hints = [...new Set(failures.flatMap((it) => it.hints))];
  const hintText =
    hints.length === 0 ? '' : `\n${hints.map((it) => `hint: ${escapeText(it)}\n`).join('')}`;
  return blocks.join('') + enforcing + hintText;
}

function renderFailure(io: Pick<Io, 'color'>, it: Failure): string {
  const label = io.color ? '\u001b[1;31merror:\u001b[0m' : 'error:';
  const causes = it.causes.map((cause) => `  ${causeText(cause)}\n`).join('');
  return `${label} ${escapeText(sentence(it))}\n  code: ${it.code}\n${causes}`;
}

// Messages about a file may begin with its name; its place says it already.
function sentence({ at, message }: Failure): string {
  if (at === undefined) return message;
  const prefix = `${at.file}: `;
  const rest = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return `${at.file}:${at.line}:${at.column}: ${rest}`;
}

// An excerpt with a caret keeps its lines; everything else is one line.
function causeText(cause: string): string {
  if (!isExcerpt(cause)) return `caused by: ${escapeText(cause)}`;
  return cause.split('\n').map(escapeText).join('\n  ');
}

// Only what core/policy/excerpt.ts makes: text from outside must not choose its own lines.
function isExcerpt(cause: string): boolean {
  return /^\d+ \| .*\n *\| *\^$/.test(cause);
}
