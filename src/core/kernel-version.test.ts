// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from 'vitest';
import { isKernelAtLeast, isKernelMinimum } from './kernel-version.ts';

test.each([
  ['6.1', true],
  ['0.0', true],
  ['10.12345', true],
  ['6', false],
  ['6.1.0', false],
  ['06.1', false],
  ['6.01', false],
  ['6.1 ', false],
  ['6.1\n', false],
  ['v6.1', false],
  ['6.123456', false],
  ['', false],
])('a minimum is MAJOR.MINOR and nothing else: %j is %s', (text, is) => {
  expect(isKernelMinimum(text)).toBe(is);
});

describe('a release meets a minimum', () => {
  test.each([
    ['6.1.0-28-amd64', '6.1', true],
    ['6.12.48+deb13-amd64', '6.1', true],
    ['6.9', '6.12', false],
    ['6.12', '6.9', true],
    ['7.0.0-rc1', '6.19', true],
    ['5.19.0', '6.1', false],
    ['10.0.1', '9.9', true],
    ['6.123456', '6.1', false],
    ['unknown', '0.0', false],
    ['', '0.0', false],
    ['6.1.0', '6.x', false],
  ])('%s against %s: %s', (release, minimum, is) => {
    expect(isKernelAtLeast(release, minimum)).toBe(is);
  });
});
