// Turns an outcome into output. People read: what failed, its code, causes, what is still enforced,
// then hints. Machines read exactly one JSON document on standard output, in success and in failure.
//
// Text that came from outside was escaped by the adapter that brought it; escaping again here is
// harmless for printable text and keeps a forgotten place from reaching the terminal (X03).
//
// SPDX-License-Identifier: Apache-2.0

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
    io.out(`${JSON.stringify(toDocument(outcome, stillEnforcing))}\n`);
    return;
  }
  if (outcome.text !== '') io.out(`${outcome.text}\n`);
  if (outcome.failures.length > 0) io.err(renderFailures(io, outcome.failures, stillEnforcing));
}

/** The one JSON document of an outcome. */
export function toDocument(outcome: Outcome, stillEnforcing: string | null): object {
  return {
    apiVersion: CLI_API_VERSION,
    kind: outcome.kind,
    ok: outcome.failures.length === 0,
    ...outcome.document,
    ...(outcome.failures.length === 0 ? {} : { errors: outcome.failures }),
    ...(outcome.failures.length === 0 || stillEnforcing === null ? {} : { stillEnforcing }),
  };
}

/** The text of failures, in the order of docs/errors.md. Ends with a newline. */
export function renderFailures(
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
  const where = it.at === undefined ? '' : `${it.at.file}:${it.at.line}:${it.at.column}: `;
  const causes = it.causes.map((cause) => `  ${causeText(cause)}\n`).join('');
  return `${label} ${escapeText(where + it.message)}\n  code: ${it.code}\n${causes}`;
}

// An excerpt with a caret keeps its lines; everything else is one line.
function causeText(cause: string): string {
  if (!cause.includes('\n')) return `caused by: ${escapeText(cause)}`;
  return cause.split('\n').map(escapeText).join('\n  ');
}
