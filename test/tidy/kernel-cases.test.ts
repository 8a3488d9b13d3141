// The list of kernel cases and what shows them belong together: no id without a case or a reason.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CASES } from '../vm/cases/all.ts';
import { KERNEL_CASES } from '../vm/ids.ts';

const LISTED_MIN = 104;
const file = (path: string) => new URL(`../../${path}`, import.meta.url);
const inTable = new Set(CASES.map(({ id }) => Number.parseInt(id, 10)));

describe('kernel cases', () => {
  it('lists every id once', () => {
    const ids = KERNEL_CASES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThanOrEqual(LISTED_MIN);
  });

  it('gives every row of the table an id of its own', () => {
    const ids = CASES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it.each(KERNEL_CASES)('shows case $id: $title', ({ id, shown }) => {
    if (shown === 'table') expect(inTable.has(id)).toBe(true);
    else if ('test' in shown) {
      expect(existsSync(file(shown.test)), shown.test).toBe(true);
      // In a title of its own, or in the first column of a table that the titles are made of.
      const named = new RegExp(`\\bcase ${id}\\b|\\['${id}', `);
      expect(readFileSync(file(shown.test), 'utf8')).toMatch(named);
    } else {
      expect(shown.reason).not.toBe('');
      // What the table shows by now needs no excuse any more.
      expect(inTable.has(id), `case ${id} is in the table`).toBe(false);
    }
  });

  it('lists every id that the table shows', () => {
    const listed = new Set(KERNEL_CASES.map(({ id }) => id));
    expect([...inTable].filter((id) => !listed.has(id))).toEqual([]);
  });
});
