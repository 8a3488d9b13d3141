// The channel's head on the privileged side: verified again, judged by this process's own trust policy,
// floor and clock, and remembered. It is what a new bundle is measured by (VERIFY-15), so a compromised
// agent can neither bring an older bundle back nor keep the host from noticing that heads have stopped.
//
// SPDX-License-Identifier: Apache-2.0

import { type HeadStatus, toHeadStatus } from '../core/head.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { demandsHead, judgeHead } from '../core/verify/head.ts';
import { sameJson } from '../core/verify/same-json.ts';
import { type AdmissionOptions, combine } from './admission.ts';
import type { Alerts } from './alerts.ts';
import { checkClock, risenTime } from './time-floor.ts';

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
  const { store, trust, clock } = options;
  const scope = demandsHead(trust, options);
  if (scope === null) {
    return err(failure('verify/head-invalid', 'the trust policy in force demands no head'));
  }
  const timely = checkClock(options);
  if (!timely.ok) return timely;
  const facts = await options.verifier.read(statements, trust);
  if (!facts.ok) return facts;
  const last = store.read('head');
  const judged = judgeHead(facts.value, trust, scope, {
    nowMs: clock.nowMs(),
    repository: options.repository,
    channel: options.channel,
    last,
    floor: store.read('floor'),
  });
  if (!judged.ok) {
    const refused = combine(judged.error);
    tellEquivocation(judged.error, alerts);
    return err(refused);
  }
  const { head } = judged.value;
  if (last === null || !sameJson(head, last)) {
    const timeFloorMs = risenTime(options, Date.parse(head.issuedAt));
    const written = store.write({ head, timeFloorMs });
    if (!written.ok) return written;
  }
  return ok(toHeadStatus(head, scope.freshness.maxAgeMs, clock.nowMs()));
}

// Two signed truths are no accident of a registry: a person must know, whatever the next poll brings.
function tellEquivocation(failures: readonly Failure[], alerts: Alerts): void {
  const found = failures.find((it) => it.code === 'verify/equivocation');
  if (found !== undefined) alerts.raise(found);
}
