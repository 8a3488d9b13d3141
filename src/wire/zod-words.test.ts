// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { fitShape, hintsOf } from './zod-words.ts';

const shape = z.strictObject({
  mode: z.enum(['audit', 'enforce']),
  kind: z.literal('one'),
  count: z.int().min(1).max(9),
  text: z
    .string()
    .min(2)
    .max(4)
    .regex(/^[a-z]*$/, 'ours'),
  list: z.array(z.string()).min(1).max(2),
  pair: z.tuple([z.string()]),
  either: z.union([z.int(), z.literal('x')]),
  map: z.record(z.string().max(2), z.boolean()),
});
const good = {
  mode: 'audit',
  kind: 'one',
  count: 1,
  text: 'ab',
  list: ['a'],
  pair: ['a'],
  either: 1,
  map: {},
};

// The words of the library, whatever it is asked.
const THEIRS = /invalid (input|option|string|key)|expected|received|too (small|big)|unrecognized/i;

function sentences(issues: readonly z.core.$ZodIssue[]): readonly string[] {
  return issues.flatMap((it) => [
    it.message,
    ...(it.code === 'invalid_union' ? sentences(it.errors.flat()) : []),
  ]);
}

test('no sentence of the library reaches anybody, whatever is wrong', () => {
  const wrong: unknown[] = [
    undefined,
    null,
    1.5,
    -1,
    99,
    NaN,
    'abcde',
    '',
    [],
    ['a', 'b', 'c'],
    {},
  ];
  wrong.push({ abc: 1 }, [1], true, 'A', { '\u001b[31m': true });
  let seen = 0;
  for (const field of Object.keys(good)) {
    for (const value of wrong) {
      const found = fitShape(shape, { ...good, [field]: value });
      for (const sentence of sentences(found.error?.issues ?? [])) {
        seen += 1;
        expect(sentence, `${field} = ${JSON.stringify(value)}`).not.toMatch(THEIRS);
        expect(sentence).toMatch(/^[\x20-\x7e]+$/);
      }
    }
  }
  expect(seen).toBeGreaterThan(80);
});

test('a slip is answered with what was meant, a stranger with the choices', () => {
  const hints = (mode: unknown) => hintsOf(fitShape(shape, { ...good, mode }).error?.issues ?? []);
  expect(hints('enfroce')).toEqual(['did you mean "enforce"?']);
  expect(hints('everything')).toEqual(['use one of: "audit", "enforce"']);
  expect(hints('enforce')).toEqual([]);
});

test('every schema of the project is run by it', () => {
  const folder = join(import.meta.dirname, '..');
  const offenders = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((it) => /(?<!\.test)\.ts$/.test(it) && !it.endsWith('zod-words.ts'))
    .filter((it) => /\.(safeParse|safeParseAsync)\(/.test(readFileSync(join(folder, it), 'utf8')));
  expect(offenders).toEqual([]);
});
