// Whether what was admitted under an earlier trust policy may be in force under the one of today. Asked of a
// generation that is adopted, that comes back by a fallback, and when the trust policy changes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { Failure } from '../core/result.ts';
import type { Alerts } from './alerts.ts';
import { replay } from './replay.ts';
import type { SourceOptions, Sources } from './sources.ts';
import { findDamage } from './stored-evidence.ts';

/** A bundle that must go, and why. */
export interface Distrusted {
  readonly digest: Digest;
  readonly source: SourceOptions;
  readonly error: Failure;
}

/** L03: what must go of some content; hashes are checked always. What is kept in spite of something is an alert. */
export async function findDistrust(
  content: readonly Digest[],
  { sources, alerts }: { readonly sources: Sources; readonly alerts: Alerts },
): Promise<readonly Distrusted[]> {
  const found: Distrusted[] = [];
  for (const digest of content) {
    const source = sources.holding(digest);
    const known = source.store.admitted(digest);
    if (known?.trustFingerprint === source.trust.fingerprint) {
      const damage = findDamage(digest, source.store);
      if (damage !== null) alerts.raise(damage);
      continue;
    }
    const replayed = await replay(digest, source);
    const concern = replayed.ok ? replayed.value.concern : replayed.error;
    if (concern !== null) alerts.raise(concern);
    // Damaged evidence is no reason to take away, or to leave out, what the kernel holds intact.
    const mustGo = !replayed.ok && replayed.error.code === 'restore/distrusted';
    if (mustGo) found.push({ digest, source, error: replayed.error });
  }
  return found;
}
