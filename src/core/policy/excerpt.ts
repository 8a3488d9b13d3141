// The line that a problem is in, with a caret under its column, as compilers show it.
//
// SPDX-License-Identifier: Apache-2.0

import type { SourcePosition } from '../result.ts';
import { escapeText } from '../text.ts';

const CHARS_MAX = 100;

/** Renders two lines: the source line cut around the column, and the caret. */
export function renderExcerpt(text: string, { line, column }: SourcePosition): string {
  const source = (text.split(/\r\n|[\n\r]/)[line - 1] ?? '').replaceAll('\t', ' ');
  const start = Math.max(0, column - 1 - CHARS_MAX / 2);
  const cut = source.slice(start, start + CHARS_MAX);
  // Escapes are wider than what they stand for; the caret counts what is printed.
  const before = escapeText(cut.slice(0, column - 1 - start));
  const number = String(line);
  const margin = ' '.repeat(number.length);
  return `${number} | ${escapeText(cut)}\n${margin} | ${' '.repeat(before.length)}^`;
}
