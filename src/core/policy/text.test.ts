// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteLength, compareBytes } from './text.ts';

const pair = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));

describe('text as bytes', () => {
  it('compares as its UTF-8 does, also beyond the basic plane', () => {
    expect(compareBytes('\uffee', '\u{1f600}')).toBeLessThan(0);
    expect(compareBytes('\u{1f600}', '\u{1f601}')).toBeLessThan(0);
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('has as many bytes as its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(byteLength(text)).toBe(Buffer.byteLength(text));
      }),
    );
  });
});
