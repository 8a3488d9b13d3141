// What `warder rollback` writes down before anything is carried out, so that a crash in between is
// finished by the next start.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import { err, failure, type Result } from '../core/result.ts';
import type { EnforcerStore } from './store/store.ts';

/** Holds what is enforced of a source out, and makes its bundle before that the last-known-good. */
export function recordRollback(
  current: Digest | null,
  why: { readonly by: string; readonly reason: string; readonly at: string },
  store: EnforcerStore,
): Result<void> {
  const summary = current === null ? null : (store.admitted(current)?.summary ?? null);
  const isGood = summary !== null && summary.digest === store.read('lastKnownGood');
  const target = store.read(isGood ? 'previous' : 'lastKnownGood');
  if (summary === null || target === null) {
    return err(failure('restore/no-previous', 'there is no earlier confirmed bundle'));
  }
  const { digest, version } = summary;
  return store.write({
    hold: { digest, version, ...why },
    ...(isGood ? { lastKnownGood: target, previous: null } : {}),
  });
}
