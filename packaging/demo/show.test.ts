// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { formatObservation, normalize } from './show.ts';

const DIGEST = `sha256:${'4f'.repeat(32)}`;

it.each([
  ['push v1 -> enforced in 4.1 s', 'push v1 -> enforced in N s'],
  ['commit 1a2b3c4, canary 14/14', 'commit COMMIT, canary N/N'],
  [`bundle v1 ${DIGEST.slice(0, 19)}`, 'bundle v1 sha256:DIGEST'],
  ['at 2026-01-12T08:11:03.004Z', 'at TIME'],
  ['generation 2 -> 3, 417 attempts during the swap', 'generation N, N attempts during the swap'],
  ['kernel 6.1.0-50-cloud-amd64, lsm=yama,bpf', 'kernel KERNEL, lsm=yama,bpf'],
  ['kernel 7.3.0, lsm=yama,bpf,ima,evm, baseline', 'kernel KERNEL, lsm=yama,bpf, baseline'],
  ['hook file_open, EACCES, event b85d2c67-1-0-15', 'hook file_open, EACCES, event EVENT'],
  ['tee (pid 273, uid 0)', 'tee (pid N, uid 0)'],
])('puts a placeholder for what changes in "%s"', (line, normal) => {
  expect(normalize(line)).toBe(normal);
});

it.each([
  'written in  policies/app-secrets.yaml:9:11',
  'verify/rollback, v1 is below the floor, v2, v2 still enforced',
  'sha256:DIGEST commit COMMIT TIME',
])('leaves "%s" as it is', (line) => {
  expect(normalize(line)).toBe(line);
});

it('puts the evidence behind the title and details below', () => {
  const shown = { evidence: ['a', 'b'], details: ['c'] };
  expect(formatObservation('seen', shown)).toEqual(['ok  seen   (a, b)', '      c']);
  expect(formatObservation('seen', { title: 'seen in 1 s', evidence: [] })).toEqual([
    'ok  seen in 1 s',
  ]);
});
