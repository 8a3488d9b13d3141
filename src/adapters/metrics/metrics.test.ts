// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { ok } from '../../core/result.ts';
import { initialStatus, type Outcome } from '../../core/status.ts';
import { metricsReporter } from './metrics.ts';

test('every series exists from the first report, and outcomes are counted', async () => {
  let text = '';
  const reporter = metricsReporter((it) => {
    text = it;
    return ok(undefined);
  });
  const status = initialStatus('1.0.0', 'r/p:t', 0);
  await reporter.report(status, null);
  const names = (it: string) => it.replaceAll(/ [0-9.]+$/gm, '').split('\n');
  const first = names(text);
  expect(text).toContain('warder_polls_total{outcome="refused"} 0\n');
  expect(text).toContain('warder_condition{type="Stale"} 0\n');
  const outcome: Outcome = {
    kind: 'refused',
    stage: 'verify',
    digest: null,
    version: null,
    failures: [],
    atMs: 0,
    durationMs: 1500,
  };
  await reporter.report(status, outcome);
  await reporter.report(status, outcome);
  expect(text).toContain('warder_polls_total{outcome="refused"} 2\n');
  expect(text).toContain('warder_poll_duration_seconds_total 3\n');
  expect(names(text)).toEqual(first);
});

test('each place of the repository has a series, by its number', async () => {
  let text = '';
  const reporter = metricsReporter((it) => {
    text = it;
    return ok(undefined);
  });
  const at = '2026-01-01T00:00:00.000Z';
  const places = [
    { place: 'a.example.com/p', state: 'refused', code: 'verify/rollback', at },
    { place: 'b.example.com/p', state: 'answered', code: null, at },
  ] as const;
  await reporter.report({ ...initialStatus('1.0.0', 'r/p:t', 0), places }, null);
  expect(text).toContain('warder_place_answered{place="0"} 0\n');
  expect(text).toContain('warder_place_answered{place="1"} 1\n');
});
