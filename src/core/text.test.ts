// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { escapeAndCut, escapeText } from './text.ts';

describe('escapeText', () => {
  it('writes control characters of a terminal as escapes', () => {
    expect(escapeText('a\u001b[31mb\r\n\u009b')).toBe('a\\u001b[31mb\\u000d\\u000a\\u009b');
  });
  it('writes bidirectional overrides as escapes', () => {
    expect(escapeText('x\u202etxt')).toBe('x\\u202etxt');
  });
  it('leaves printable text of any script alone', () => {
    expect(escapeText('Zugriff verweigert: /etc/größe 🦊')).toBe(
      'Zugriff verweigert: /etc/größe 🦊',
    );
  });
  it('escapes a lone surrogate', () => {
    expect(escapeText('\ud83e')).toBe('\\ud83e');
  });
  it('cuts before it escapes, so that the cut never splits an escape', () => {
    expect(escapeAndCut('abc\u001b', 3)).toBe('abc…');
  });
});
