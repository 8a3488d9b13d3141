// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatReference, parseReference } from './reference.ts';

const HEX = 'a'.repeat(64);

function check(text: string): string {
  const parsed = parseReference(text);
  return parsed.ok ? formatReference(parsed.value) : parsed.error.code;
}

describe('parseReference', () => {
  it.each([
    'registry.example.com/policies:prod',
    'localhost:5000/a/b-c/d__e:v1',
    '127.0.0.1:5000/a',
    '[::1]:5000/a:t',
    `registry.example.com/policies@sha256:${HEX}`,
    `registry.example.com/policies:prod@sha256:${HEX}`,
    'oci-layout:/srv/bundles:prod',
    `oci-layout:/srv/bundles@sha256:${HEX}`,
  ])('reads and prints %s unchanged', (text) => {
    expect(check(text)).toBe(text);
  });

  it.each([
    ['R02 an option', '--help'],
    ['R02 an option as host', '-o/a'],
    ['R02 spaces', 'host/a b'],
    ['R02 dot dot', 'host/../a'],
    ['R02 percent', 'host/a%2fb'],
    ['R02 NUL', 'host/a\u0000'],
    ['R02 look-alike', 'hоst/a'],
    ['upper case path', 'host/A'],
    ['no repository', 'host'],
    ['empty tag', 'host/a:'],
    ['relative layout', 'oci-layout:dir'],
    ['layout that climbs', 'oci-layout:/a/../b'],
    ['too long', `host/${'a'.repeat(600)}`],
  ])('%s is not a reference', (_name, text) => {
    expect(check(text)).toBe('resolve/reference-invalid');
  });

  it.each([
    ['R03 sha512', `host/a@sha512:${HEX}${HEX}`],
    ['R03 sha1', 'host/a@sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709'],
    ['R03 upper case', `host/a@sha256:${HEX.toUpperCase()}`],
    ['R03 short', 'host/a@sha256:abc'],
    ['R03 twice', `host/a@sha256:${HEX}@sha256:${HEX}`],
  ])('%s is not a digest', (_name, text) => {
    expect(check(text)).toBe('resolve/digest-algorithm');
  });

  it('never throws and never reads what it would not print back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const parsed = parseReference(text);
        if (parsed.ok) expect(formatReference(parsed.value)).toBe(text);
      }),
    );
  });
});
