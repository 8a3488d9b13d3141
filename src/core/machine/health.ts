// Whether a generation that is in force may be confirmed. A canary or a probe that did not run is a
// refusal, and so is one that gave no data: only what was seen to work counts.
//
// SPDX-License-Identifier: Apache-2.0

import type { CanaryReport, CanaryResult } from '../enforcement.ts';
import { type Failure, failure } from '../result.ts';

/** What one configured host probe said. */
export interface ProbeReport {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'no-answer';
  /** For people; escaped. */
  readonly detail: string;
}

/** Null when the canary and every configured probe were seen to pass; otherwise why not. */
export function judgeHealth(
  canary: CanaryReport,
  probes: readonly ProbeReport[],
  expected: readonly string[],
): Failure | null {
  const notRun = expected.filter((name) => !probes.some((probe) => probe.name === name));
  if (canary.results.length === 0 || notRun.length > 0) {
    const what = canary.results.length === 0 ? ['canary', ...notRun] : notRun;
    return failure('confirm/health-not-run', `not run: ${what.join(', ')}`);
  }
  const bad = [...canary.results.filter(isBad).map(describe), ...badProbes(probes)];
  if (bad.some((it) => it.kind === 'failed')) return unhealthy('confirm/health-failed', bad);
  if (bad.length > 0) return unhealthy('confirm/health-no-data', bad);
  // The enforcer saw something that its list does not say: believe the worse.
  if (!canary.healthy) return failure('confirm/health-failed', 'the enforcer reports no health');
  return null;
}

interface Bad {
  readonly kind: 'failed' | 'no-data';
  readonly text: string;
}

function isBad(result: CanaryResult): boolean {
  return result.outcome !== 'denied';
}

function describe(result: CanaryResult): Bad {
  const noData = result.outcome === 'no-answer' || result.outcome === 'no-event';
  const text = `canary ${result.hook}/${result.operation}: ${result.outcome} ${result.detail}`;
  return { kind: noData ? 'no-data' : 'failed', text: text.trim() };
}

function badProbes(probes: readonly ProbeReport[]): Bad[] {
  return probes
    .filter((probe) => probe.outcome !== 'passed')
    .map((probe) => ({
      kind: probe.outcome === 'failed' ? 'failed' : 'no-data',
      text: `probe ${probe.name}: ${probe.outcome} ${probe.detail}`.trim(),
    }));
}

function unhealthy(
  code: 'confirm/health-failed' | 'confirm/health-no-data',
  bad: readonly Bad[],
): Failure {
  return failure(code, `${bad.length} of the health checks did not pass`, {
    causes: bad.map((it) => it.text),
  });
}
