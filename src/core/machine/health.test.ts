// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import type { CanaryReport, CanaryResult } from '../enforcement.ts';
import { judgeHealth, type ProbeReport } from './health.ts';

const canary = (...outcomes: CanaryResult['outcome'][]): CanaryReport => ({
  healthy: outcomes.every((it) => it === 'denied'),
  generation: 1,
  at: '',
  results: outcomes.map((outcome) => ({
    hook: 'file_open',
    operation: 'read',
    outcome,
    detail: '',
  })),
});
const probe = (outcome: ProbeReport['outcome']): ProbeReport => ({
  name: 'web',
  outcome,
  detail: '',
});

test.each<[string, CanaryReport, ProbeReport[], string | null]>([
  ['every check passed', canary('denied', 'denied'), [probe('passed')], null],
  ['no canary ran', canary(), [probe('passed')], 'confirm/health-not-run'],
  ['a probe did not run', canary('denied'), [], 'confirm/health-not-run'],
  ['a canary was allowed', canary('denied', 'allowed'), [probe('passed')], 'confirm/health-failed'],
  ['a canary saw another errno', canary('wrong-errno'), [probe('passed')], 'confirm/health-failed'],
  ['a canary saw no event', canary('no-event'), [probe('passed')], 'confirm/health-no-data'],
  ['a canary gave no answer', canary('no-answer'), [probe('passed')], 'confirm/health-no-data'],
  ['a probe failed', canary('denied'), [probe('failed')], 'confirm/health-failed'],
  ['a probe gave no answer', canary('denied'), [probe('no-answer')], 'confirm/health-no-data'],
  [
    'the enforcer says no though its list does not',
    { ...canary('denied'), healthy: false },
    [probe('passed')],
    'confirm/health-failed',
  ],
])('C09 %s', (_what, report, probes, code) => {
  expect(judgeHealth(report, probes, ['web'])?.code ?? null).toBe(code);
});
