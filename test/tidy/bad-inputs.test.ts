// The list of hostile inputs and the tests that show them belong together: no id without a case or a
// reason.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BAD_INPUTS } from '../bad-inputs.ts';

const LISTED = 144;
const file = (path: string) => new URL(`../../${path}`, import.meta.url);

it('lists every id once', () => {
  const ids = BAD_INPUTS.map(({ id }) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  expect(ids).toHaveLength(LISTED);
});

it.each(BAD_INPUTS)('$id is shown by the test that is named, or says why not', (input) => {
  if ('open' in input) {
    expect(input.open).not.toBe('');
    return;
  }
  expect(existsSync(file(input.test)), input.test).toBe(true);
  expect(readFileSync(file(input.test), 'utf8')).toMatch(new RegExp(`\\b${input.id}\\b`));
});
