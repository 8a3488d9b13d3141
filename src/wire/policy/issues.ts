// What a schema found, as failures at their place in the file. A field or value that the language has
// but this version does not enforce gets its own code: it is not the author's mistake.
//
// SPDX-License-Identifier: Apache-2.0

import type { z } from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import { type Failure, failure, type SourcePosition } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import { hintsOf } from '../zod-words.ts';
import type { LocatedYaml, ValuePath } from './yaml.ts';

const TEXT_CHARS_MAX = 200;

const LATER_VALUES = new Map([
  ['NetworkPolicy', 'policies for the network'],
  ['ProcessPolicy', 'policies for processes'],
  ['SequencePolicy', 'policies for sequences of events'],
]);

/** Turns every issue into a failure. */
export function toFailures(file: string, yaml: LocatedYaml, error: z.ZodError): readonly Failure[] {
  return error.issues.flatMap((issue) => toFailure(file, yaml, issue, []));
}

type Issue = z.core.$ZodIssue;

function toFailure(file: string, yaml: LocatedYaml, issue: Issue, above: ValuePath): Failure[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return deepest(issue.errors).flatMap((it) => toFailure(file, yaml, it, path));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const name = escapeAndCut([...path, key].map(String).join('.'), TEXT_CHARS_MAX);
      const at = yaml.atKey(path, key);
      return refuse('policy/schema', `${file}: unknown field ${name}`, at);
    });
  }
  const value = valueAt(yaml.value, path);
  const name = escapeAndCut(path.map(String).join('.'), TEXT_CHARS_MAX);
  const later = typeof value === 'string' ? LATER_VALUES.get(value) : undefined;
  if (issue.code === 'invalid_value' && later !== undefined) {
    return [notYet(file, `${name} "${value}"`, later, yaml.at(path))];
  }
  const text = escapeAndCut(issue.message, TEXT_CHARS_MAX);
  const message = `${file}: ${name || 'document'}: ${text}`;
  return [refuse(codeOf(issue), message, yaml.at(path), hintsOf([issue]))];
}

// The alternative that got furthest is the one that the author meant.
function deepest(errors: readonly (readonly Issue[])[]): readonly Issue[] {
  const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map((it) => it.path.length));
  return errors.reduce((best, it) => (depth(it) >= depth(best) ? it : best));
}

function codeOf(issue: Issue): ErrorCode {
  const code: unknown = issue.code === 'custom' ? issue.params?.['code'] : undefined;
  return typeof code === 'string' ? (code as ErrorCode) : 'policy/schema';
}

function notYet(file: string, name: string, meaning: string, at: SourcePosition): Failure {
  return failure('policy/not-supported-yet', `${file}: ${name}: not in this version`, {
    at,
    causes: [`${meaning} is part of the language, but nothing would enforce it yet`],
    hints: ['remove it; Warder refuses what it cannot enforce'],
  });
}

function refuse(
  code: ErrorCode,
  message: string,
  at: SourcePosition,
  hints: readonly string[] = [],
): Failure {
  return failure(code, message, { at, hints });
}

function valueAt(value: unknown, path: ValuePath): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<PropertyKey, unknown>)[key];
  }
  return here;
}
