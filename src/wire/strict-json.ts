// JSON from strangers, read so that everybody who reads the bytes reads the same: no BOM, no invalid
// UTF-8, no trailing bytes, no duplicate keys, no keys that mean something to a JavaScript engine, a
// bounded size and depth. The walk is iterative: depth costs no stack.
//
// Number rule: with `plainIntegers`, a number written with a fraction, an exponent or a sign on zero
// becomes NaN, which no schema accepts. So `1e3` and `1e309` fail where they stand, with the code of
// that place, instead of meaning 1000 to one reader and a text to another.
//
// SPDX-License-Identifier: Apache-2.0

import { LIMITS } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';

/** Why bytes are not strict JSON. The caller knows which document it was and gives the code. */
export interface JsonProblem {
  readonly kind: 'too-large' | 'encoding' | 'depth' | 'duplicate-key' | 'forbidden-key' | 'syntax';
  readonly detail: string;
}

/** Bounds of one document. */
export interface JsonRules {
  readonly bytesMax: number;
  readonly depthMax?: number;
  readonly plainIntegers?: boolean;
}

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
const PLAIN_INTEGER = /^(?:0|-?[1-9][0-9]*)$/;
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one strict JSON document. */
export function parseStrictJson(bytes: Uint8Array, rules: JsonRules): Result<unknown, JsonProblem> {
  if (bytes.length > rules.bytesMax) {
    return problem('too-large', `${bytes.length} bytes; at most ${rules.bytesMax}`);
  }
  let text: string;
  try {
    text = DECODER.decode(bytes);
  } catch {
    // The decoder throws for nothing but invalid UTF-8.
    return problem('encoding', 'not UTF-8');
  }
  if (text.startsWith('\uFEFF')) return problem('encoding', 'begins with a byte order mark');
  const shape = checkShape(text, rules.depthMax ?? LIMITS.jsonDepthMax);
  if (!shape.ok) return shape;
  try {
    return ok(JSON.parse(text, rules.plainIntegers === true ? toPlainInteger : undefined));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return problem('syntax', 'not JSON');
  }
}

function toPlainInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number') return value;
  return PLAIN_INTEGER.test(context?.source ?? '') ? value : Number.NaN;
}

/** Walks the tokens. Right for JSON; what is not JSON is refused by the parser afterwards. */
function checkShape(text: string, depthMax: number): Result<void, JsonProblem> {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const first = text[at];
    if (first === '{' || first === '[') {
      open.push(new Set());
      if (open.length > depthMax) return problem('depth', `nested deeper than ${depthMax}`);
    } else if (first === '}' || first === ']') {
      open.pop();
    } else if (first === '"') {
      const end = endOfString(text, at);
      if (end < 0) return problem('syntax', 'a string does not end');
      if (isFollowedByColon(text, end)) {
        const checked = checkKey(text.slice(at, end), open.at(-1));
        if (!checked.ok) return checked;
      }
      at = end - 1;
    }
  }
  return ok(undefined);
}

/** Index behind the closing quote, or -1. By hand: a regular expression would take stack per character. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

function isFollowedByColon(text: string, at: number): boolean {
  let next = at;
  while (' \t\r\n'.includes(text[next] ?? 'end')) next += 1;
  return text[next] === ':';
}

function checkKey(quoted: string, seen: Set<string> | undefined): Result<void, JsonProblem> {
  let key: string;
  try {
    key = JSON.parse(quoted) as string;
  } catch {
    return problem('syntax', 'not JSON');
  }
  if (FORBIDDEN_KEYS.has(key)) return problem('forbidden-key', `the key ${quoted} is refused`);
  if (seen?.has(key))
    return problem('duplicate-key', `the key ${quoted.slice(0, 80)} is there twice`);
  seen?.add(key);
  return ok(undefined);
}

function problem(kind: JsonProblem['kind'], detail: string): Result<never, JsonProblem> {
  return err({ kind, detail });
}
