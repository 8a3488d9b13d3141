// The list of hostile inputs and the tests that show them belong together: every id of the list has a case,
// every case an id of the list. There is no way to leave one out but to take it from the list.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERRORS } from '../../src/core/errors.ts';
import { BAD_INPUTS } from '../bad-inputs.ts';

/** The list, by group. */
const LISTED = {
  T: '01 02 03 04 05 07 08 09 11 12 13 15 16',
  R: '01 02 03 04',
  M: '01 02 03 04 05 07 08 09 10 12 13 15 16 17',
  A: '01 02 03 04 05 06 07 08 09 10 11 12',
  F: '01 02 03 04 06 07 08 09 10 11',
  S: '01 02 03 04 05 06 07 08 09 10 11 12 13 14 16 18 19 20 21 22 24 25',
  I: '01 03 04 05 06 08 09 10 11 12 13 14',
  P: '01 02 03 05 06 07 08 09 11 12 13 14',
  V: '01 02 03 04 06 07 08 09 10 11 13 14 15 16 17 18 19 20 21',
  C: '01 03 04 05 06 07 08 09 10 11 12 13 14',
  L: '01 02 03 04 06 07 08',
  X: '01 02 03 04 05 07',
} as const;

const ROWS = 'test/agent/hostile/';
const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const listed = Object.entries(LISTED).flatMap(([group, numbers]) =>
  numbers.split(' ').map((it) => group + it),
);

it('has a case for every id of the list, once, and for no other', () => {
  expect(listed).toHaveLength(144);
  expect(BAD_INPUTS.map(({ id }) => id).sort()).toEqual([...listed].sort());
});

it.each(BAD_INPUTS)('$id is shown by the test that is named', ({ id, code, test }) => {
  expect(code === 'accepted' || Object.hasOwn(ERRORS, code)).toBe(true);
  expect(existsSync(file(test)), test).toBe(true);
  const text = readFileSync(file(test), 'utf8');
  expect(text).toMatch(new RegExp(`\\b${id}\\b`));
  // A row has its code beside its id; other tests assert in ways of their own.
  if (test.startsWith(ROWS)) expect(text).toContain(`'${code}'`);
});

it('has no row of an id that is not listed', () => {
  const rows = readdirSync(file(ROWS)).flatMap((name) => {
    const text = readFileSync(file(ROWS + name), 'utf8');
    return [...text.matchAll(/'([A-Z]\d\d)'/g)].map((it) => it[1] ?? '');
  });
  expect(rows.length).toBeGreaterThan(130);
  expect(rows.filter((it) => !listed.includes(it))).toEqual([]);
});
