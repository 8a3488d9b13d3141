// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { failure } from '../core/result.ts';
import { proofMetrics } from './proof-metrics.ts';

const AT = '2026-01-10T11:59:30.500Z';
const values = (text: string) =>
  new Map(
    text
      .split('\n')
      .filter((it) => it !== '' && !it.startsWith('#'))
      .map(
        (it) => [it.slice(0, it.lastIndexOf(' ')), Number(it.slice(it.lastIndexOf(' ')))] as const,
      ),
  );

it('has every series from the start, at 0', () => {
  const before = values(proofMetrics(null, 60_000));
  const proven = { state: 'proven', generation: 12, at: AT, reasons: [] } as const;
  const after = values(proofMetrics(proven, 60_000));
  expect([...after.keys()]).toEqual([...before.keys()]);
  expect(before.get('warder_proof_period_seconds')).toBe(60);
  expect([...before.values()].filter((it) => it !== 0)).toEqual([60]);
});

it('tells state, reasons, time and generation of the last proof', () => {
  const reasons = [failure('host/proof-link', 'a'), failure('host/proof-unanswered', 'b')];
  const found = values(
    proofMetrics({ state: 'disproven', generation: 12, at: AT, reasons }, 60_000),
  );
  expect(found.get('warder_proof_state{state="disproven"}')).toBe(1);
  expect(found.get('warder_proof_state{state="proven"}')).toBe(0);
  expect(found.get('warder_proof_reason{code="host/proof-link"}')).toBe(1);
  expect(found.get('warder_proof_reason{code="host/proof-unanswered"}')).toBe(1);
  expect(found.get('warder_proof_reason{code="host/proof-map"}')).toBe(0);
  expect(found.get('warder_proof_time_seconds')).toBe(Date.parse(AT) / 1000);
  expect(found.get('warder_proof_generation')).toBe(12);
});
