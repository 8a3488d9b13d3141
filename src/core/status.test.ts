// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { BUNDLE, STATUS } from '../../test/support/enforcer-answers.ts';
import type { ErrorCode } from './errors.ts';
import { failure } from './result.ts';
import { initialStatus, nextStatus } from './status.ts';

/** The condition after a poll that found nothing new, while the enforcer has this alert. */
function degradedBy(code: ErrorCode | null): string {
  const next = nextStatus(initialStatus('1.0.0', 'registry.example.com/policies:prod', 0), {
    atMs: 1_000_000,
    nextPollMs: null,
    outcome: {
      kind: 'unchanged',
      stage: 'resolve',
      digest: BUNDLE.digest,
      version: BUNDLE.version,
      failures: [],
      atMs: 1_000_000,
      durationMs: 1,
    },
    reconciling: false,
    enforcer: { ...STATUS, alerts: code === null ? [] : [failure(code, 'why')] },
    store: null,
    trustFingerprint: STATUS.trust.fingerprint,
  });
  const found = next.conditions.find(({ type }) => type === 'Degraded');
  return `${found?.status} ${found?.reason}`;
}

it.each([
  ['host/mounts-changed', 'True host/mounts-changed'],
  ['restore/incomplete', 'True restore/incomplete'],
  ['config/source-gone', 'False Healthy'],
  [null, 'False Healthy'],
] as const)('with the alert %s, Degraded is %s', (code, wanted) => {
  expect(degradedBy(code)).toBe(wanted);
});
