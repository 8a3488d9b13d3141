// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { failure } from '../../core/result.ts';
import { initialStatus, type Outcome } from '../../core/status.ts';
import { logReporter } from './log.ts';

test('an outcome is one line with its fields; a status alone is none', async () => {
  const lines: string[] = [];
  const reporter = logReporter('info', { write: (line) => lines.push(line) });
  const status = initialStatus('1.0.0', 'r/p:t', 0);
  const outcome: Outcome = {
    kind: 'refused',
    stage: 'verify',
    digest: null,
    version: null,
    failures: [failure('verify/rollback', 'older\nthan the floor')],
    atMs: 0,
    durationMs: 12,
  };
  await reporter.report(status, null);
  await reporter.report(status, { ...outcome, kind: 'unchanged' });
  await reporter.report(status, outcome);
  expect(lines).toHaveLength(1);
  expect(lines[0]?.trimEnd()).not.toContain('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    stage: 'verify',
    code: 'verify/rollback',
    duration_ms: 12,
    msg: 'candidate refused',
  });
});
