// What a schema found, in Warder's words. The library's own sentences never reach a user: they name types
// of a programming language, and change with its version. Every schema of this folder is run by `fitShape`.
//
// SPDX-License-Identifier: Apache-2.0

import type { z } from 'zod';

const TEXT_LENGTH_MAX = 200;
const CHOICES_MAX = 12;

/** Runs a schema over a value of a stranger. Issues carry our sentences and the value they are about. */
export function fitShape<T extends z.ZodType>(
  schema: T,
  value: unknown,
): z.ZodSafeParseResult<z.output<T>> {
  return schema.safeParse(value, { error: toSentence, reportInput: true });
}

/** A value of a stranger as text that is safe to print: JSON-quoted, cut, ASCII only. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  const cut = text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text;
  return cut.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What the author of a value probably meant, for the first problem that has an answer. */
export function hintsOf(issues: readonly z.core.$ZodIssue[]): readonly string[] {
  for (const issue of issues) {
    if (issue.code === 'invalid_union') {
      const inside = hintsOf(issue.errors.flat());
      if (inside.length > 0) return inside;
    }
    if (issue.code !== 'invalid_value' || issue.input === undefined) continue;
    const near = nearest(String(issue.input), issue.values.map(String));
    if (near !== null) return [`did you mean ${quote(near)}?`];
    // A single choice has been said by the sentence.
    if (issue.values.length > 1) return [`use one of: ${listOf(issue.values)}`];
  }
  return [];
}

type RawIssue = z.core.$ZodRawIssue;

function toSentence(issue: RawIssue): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return input === undefined
        ? 'is missing'
        : `is ${quote(input)}; it must be ${nameOf(String(issue.expected))}`;
    case 'invalid_value':
      if (input === undefined) return `is missing; it must be ${listOf(issue.values)}`;
      return `is ${quote(input)}; it must be ${listOf(issue.values)}`;
    case 'too_small':
      return `is ${sizeOf(issue)}; the least is ${issue.minimum}`;
    case 'too_big':
      return `is ${sizeOf(issue)}; the most is ${issue.maximum}`;
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map(quote).join(', ')}`;
    case 'invalid_key':
      return 'has a name that is not allowed here';
    default:
      return `is ${quote(input)}, which does not fit`;
  }
}

function sizeOf({ input, origin }: { readonly input?: unknown; readonly origin: string }): string {
  if (origin === 'string') return `${String(input).length} characters long`;
  if (Array.isArray(input)) return `${input.length} long`;
  return quote(input);
}

const TYPE_NAMES = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list'],
  ['object', 'a set of fields'],
  ['record', 'a set of fields'],
  ['null', 'null'],
]);

function nameOf(type: string): string {
  return TYPE_NAMES.get(type) ?? 'something else';
}

function listOf(values: readonly unknown[]): string {
  const shown = values.slice(0, CHOICES_MAX).map(quote).join(', ');
  return values.length > CHOICES_MAX ? `${shown}, ...` : shown;
}

/** The choice that differs in the fewest letters, if that is few enough to be a slip. */
function nearest(text: string, choices: readonly string[]): string | null {
  if (text.length > 64) return null;
  const [best] = choices
    .map((choice) => ({ choice, far: distance(text.toLowerCase(), choice.toLowerCase()) }))
    .filter(({ choice, far }) => far <= Math.max(1, Math.floor(choice.length / 3)))
    .toSorted((a, b) => a.far - b.far);
  return best?.choice ?? null;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const swap = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
