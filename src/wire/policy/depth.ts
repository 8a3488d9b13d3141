// How deep a YAML text nests, from its tokens: before the parser, which takes time that grows with
// length times depth, and before the composer, which takes stack for every level.
//
// Flow collections are counted exactly. Block collections nest by indentation and by indicators on one
// line, so bounding both bounds them.
//
// SPDX-License-Identifier: Apache-2.0

import { Lexer } from 'yaml';

const DEPTH_MAX = 32;
const INDENT_MAX = 256;
const SCALAR = '\u001f'; // the lexer's sign that the next token is text
const INDICATORS = new Set(['-', '?', ':']);
const SIGNS = new Set(['\u0002', '\u0018', SCALAR]);

/** Finds where a text nests too deeply; null when nowhere. */
export function findTooDeep(text: string): number | null {
  const depth = new Depth();
  let offset = 0;
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    if (!isText && depth.isBeyond(token)) return offset;
    if (token.endsWith('\n')) depth.endLine();
    isText = token === SCALAR;
    // The lexer's own signs stand for nothing in the text.
    if (!SIGNS.has(token)) offset += token.length;
  }
  return null;
}

class Depth {
  #flow = 0;
  #indicators = 0;
  #lineStart = true;

  isBeyond(token: string): boolean {
    const indent = this.#lineStart && token.startsWith(' ') ? token.length : 0;
    this.#lineStart = false;
    if (token === '[' || token === '{') this.#flow += 1;
    else if (token === ']' || token === '}') this.#flow = Math.max(0, this.#flow - 1);
    else if (this.#flow === 0 && INDICATORS.has(token)) this.#indicators += 1;
    return this.#flow > DEPTH_MAX || this.#indicators > DEPTH_MAX || indent > INDENT_MAX;
  }

  endLine(): void {
    this.#lineStart = true;
    this.#indicators = 0;
  }
}
