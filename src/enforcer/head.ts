// The channel's head on the privileged side: verified again, judged by this process's own trust policy,
// floor and clock, and remembered. It is what a new bundle is measured by (VERIFY-15), so a compromised
// agent can neither bring an older bundle back nor keep the host from noticing that heads have stopped.
//
// SPDX-License-Identifier: Apache-2.0

import { type HeadStatus, toHeadStatus } from '../core/head.ts';
import { type Failure, ok, type Result } from '../core/result.ts';
import { demandsHead } from '../core/verify/head.ts';
import { sameJson } from '../core/verify/same-json.ts';
import { decideStatements } from '../decision/bytes.ts';
import type { AdmissionOptions } from './admission.ts';
import type { Alerts } from './alerts.ts';
import { recordDecision, refuseAll, startMeasuring } from './decisions.ts';
import { risenTime, timeFloorOf } from './time-floor.ts';

type Options = Omit<AdmissionOptions, 'step'>;

/** What is known of the head; null where the trust policy demands none. */
export function headStatus(
  options: Pick<Options, 'store' | 'trust' | 'clock' | 'repository' | 'channel'>,
): HeadStatus | null {
  const scope = demandsHead(options.trust, options);
  if (scope === null) return null;
  const last = options.store.read('head');
  return toHeadStatus(last, scope.freshness.maxAgeMs, options.clock.nowMs());
}

/** Verifies a head and remembers it; the answer is on the disk. */
export async function takeHead(
  statements: readonly Uint8Array[],
  options: Options,
  alerts: Alerts,
): Promise<Result<HeadStatus>> {
  const { store, trust, clock, repository, channel } = options;
  const last = store.read('head');
  const nowMs = clock.nowMs();
  const context = { nowMs, repository, channel, last, floor: store.read('floor') };
  const facts = { context, timeFloorMs: timeFloorOf(options) };
  const measured = startMeasuring();
  const means = { verifier: options.verifier, stopwatch: measured.stopwatch };
  const decided = await decideStatements(statements, trust, facts, means);
  const head = decided.accepted?.head ?? null;
  // The same head at every poll is one decision.
  const isNew = head === null || last === null || !sameJson(head, last);
  if (isNew) {
    const question = { kind: 'head', ...facts } as const;
    const subject = head?.digest ?? null;
    const recorded = recordDecision(
      { question, subject, statements, decided, ...measured.end() },
      options,
    );
    if (!recorded.ok) {
      tellEquivocation(decided.failures, alerts);
      return recorded;
    }
  }
  if (head === null) {
    tellEquivocation(decided.failures, alerts);
    return refuseAll(decided);
  }
  if (isNew) {
    const timeFloorMs = risenTime(options, Date.parse(head.issuedAt));
    const written = store.write({ head, timeFloorMs });
    if (!written.ok) return written;
  }
  const maxAgeMs = demandsHead(trust, options)?.freshness.maxAgeMs ?? 0;
  return ok(toHeadStatus(head, maxAgeMs, clock.nowMs()));
}

// Two signed truths are no accident of a registry: a person must know, whatever the next poll brings.
function tellEquivocation(failures: readonly Failure[], alerts: Alerts): void {
  const found = failures.find((it) => it.code === 'verify/equivocation');
  if (found !== undefined) alerts.raise(found);
}
