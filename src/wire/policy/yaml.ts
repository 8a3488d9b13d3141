// One YAML document with the place of everything in it. Policies are written by people and published
// by machines, so what a reader sees is what is meant: no anchors and aliases, no tags, no merge keys,
// no second document, no keys that are not text, bounded size and depth. All problems are reported.
//
// Deliberately absent: what the values mean; see schema.ts.
//
// SPDX-License-Identifier: Apache-2.0

import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  Parser,
  visit,
} from 'yaml';
import type { ErrorCode } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import {
  err,
  type Failure,
  failure,
  ok,
  type Result,
  type SourcePosition,
} from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import { findTooDeep } from './depth.ts';

const MESSAGE_CHARS_MAX = 300;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** A path into a document. */
export type ValuePath = readonly PropertyKey[];

/** A parsed document and where its values stand. */
export interface LocatedYaml {
  readonly value: unknown;
  /** Of the value at the path, or of its nearest ancestor that is there. */
  at(path: ValuePath): SourcePosition;
  /** Of a key in the mapping at the path. */
  atKey(path: ValuePath, key: string): SourcePosition;
}

/** Reads the bytes of one policy or test file. */
export function parseYaml(
  file: string,
  bytes: Uint8Array,
): Result<LocatedYaml, readonly Failure[]> {
  const start = { file, line: 1, column: 1 };
  const refuse = (code: ErrorCode, message: string, at: SourcePosition = start) =>
    err([failure(code, `${file}: ${message}`, { at })]);
  if (bytes.length > LIMITS.policyFileBytesMax) {
    return refuse('policy/too-large', `more than ${LIMITS.policyFileBytesMax} bytes`);
  }
  const text = decode(bytes);
  if (text === null) return refuse('policy/encoding', 'not UTF-8');
  if (text.startsWith('\uFEFF')) return refuse('policy/encoding', 'begins with a byte order mark');
  const zero = text.indexOf('\0');
  if (zero >= 0) return refuse('policy/encoding', 'has a zero byte', placeIn(text, file, zero));
  const deep = findTooDeep(text);
  if (deep !== null) {
    return refuse('policy/yaml-unsupported', 'nested too deeply', placeIn(text, file, deep));
  }
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const place = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return compose(file, tokens, text.length, place);
}

// Before the parser has counted lines.
function placeIn(text: string, file: string, offset: number): SourcePosition {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // the decoder throws for nothing but invalid UTF-8
  }
}

function compose(
  file: string,
  tokens: readonly CST.Token[],
  length: number,
  place: (offset: number) => SourcePosition,
): Result<LocatedYaml, readonly Failure[]> {
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    strict: true,
    prettyErrors: false,
  });
  const documents = [...composer.compose(tokens, true, length)];
  const [document, second] = documents;
  const problems: Failure[] = [];
  const report = (code: ErrorCode, message: string, offset: number) => {
    const text = escapeAndCut(message, MESSAGE_CHARS_MAX);
    problems.push(failure(code, `${file}: ${text}`, { at: place(offset) }));
  };
  if (document === undefined) {
    return err([failure('policy/syntax', `${file}: empty`, { at: place(0) })]);
  }
  for (const { message, pos } of document.errors) report('policy/syntax', message, pos[0]);
  // A warning is an unknown tag or directive: another reader could see another value.
  for (const { message, pos } of document.warnings) {
    report('policy/yaml-unsupported', message, pos[0]);
  }
  if (second !== undefined) {
    report('policy/yaml-unsupported', 'a second document: write one per file', second.range[0]);
  }
  for (const { message, offset } of findUnsupported(document)) {
    report('policy/yaml-unsupported', message, offset);
  }
  return problems.length > 0 ? err(problems) : ok(locate(document, place));
}

function findUnsupported(document: Document.Parsed): { message: string; offset: number }[] {
  const found: { message: string; offset: number }[] = [];
  visit(document, (_key, it) => {
    if (isPair(it)) {
      const offset = isNode(it.key) ? (it.key.range?.[0] ?? 0) : 0;
      if (!isScalar(it.key) || typeof it.key.value !== 'string') {
        found.push({ message: 'a key is text', offset });
      } else if (FORBIDDEN_KEYS.has(it.key.value)) {
        found.push({ message: `the key ${it.key.value} is refused`, offset });
      }
      return undefined;
    }
    if (!isNode(it)) return undefined;
    const offset = it.range?.[0] ?? 0;
    if (isAlias(it) || ('anchor' in it && it.anchor !== undefined)) {
      found.push({ message: 'anchors and aliases are refused: write the value again', offset });
    } else if (it.tag !== undefined) {
      found.push({ message: `tags are refused: ${it.tag}`, offset });
    }
    return undefined;
  });
  return found;
}

function locate(document: Document.Parsed, place: (offset: number) => SourcePosition): LocatedYaml {
  const at = (path: ValuePath): SourcePosition => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range != null) return place(node.range[0]);
    }
    return place(document.contents?.range?.[0] ?? 0);
  };
  const atKey = (path: ValuePath, key: string): SourcePosition => {
    const map = path.length === 0 ? document.contents : document.getIn(path, true);
    const pair = isMap(map)
      ? map.items.find((it) => isScalar(it.key) && it.key.value === key)
      : undefined;
    return isScalar(pair?.key) && pair.key.range != null ? place(pair.key.range[0]) : at(path);
  };
  return { value: document.toJS({ maxAliasCount: 0 }), at, atKey };
}
