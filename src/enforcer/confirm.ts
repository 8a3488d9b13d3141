// When a pending generation becomes the last-known-good.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { CanaryReport } from '../core/enforcement.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { AdmissionOptions } from './admission.ts';

/** Records the confirmation for the source of the bundle (`store` is its view); needs canaries that this process saw denied by this very generation. */
export function confirmGeneration(
  row: GenerationRow | null,
  digest: Digest,
  canary: CanaryReport | null,
  { store, step }: Pick<AdmissionOptions, 'store' | 'step'>,
): Result<GenerationRow> {
  if (row?.content.includes(digest) !== true) {
    return err(failure('confirm/not-pending', `${digest} is not what is enforced`));
  }
  const isPending = !row.confirmed && row.changed === digest;
  if (!isPending && store.read('lastKnownGood') === digest) return ok(row);
  if (!isPending && !row.confirmed) {
    return err(failure('confirm/not-pending', `${digest} waits for no confirmation`));
  }
  if (canary === null || canary.generation !== row.generation) {
    return err(failure('confirm/health-no-data', 'the canaries of this generation did not run'));
  }
  if (!canary.healthy) {
    return err(failure('confirm/health-failed', 'a canary of this generation failed'));
  }
  const written = store.confirm(row.generation, digest);
  if (!written.ok) return written;
  step('confirmed');
  // A hold ends when something newer than what was rolled away from has proven itself.
  const hold = store.read('hold');
  const version = store.admitted(digest)?.summary.version ?? 0;
  const cleared = hold !== null && version > hold.version ? store.write({ hold: null }) : written;
  return cleared.ok ? ok({ ...row, confirmed: true }) : cleared;
}
