// Whether what was admitted under an earlier trust policy may be in force under the one of today. Asked of a
// generation that is adopted, that comes back by a fallback, and when the trust policy changes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { Failure } from '../core/result.ts';
import { type AdmissionOptions, replay } from './admission.ts';
import type { Alerts } from './alerts.ts';

/** L03: why a bundle must go; null when it may stay. What is kept in spite of something is an alert. */
export async function findDistrust(
  digest: Digest | null,
  { admission, alerts }: { readonly admission: AdmissionOptions; readonly alerts: Alerts },
): Promise<Failure | null> {
  const known = digest === null ? null : admission.store.admitted(digest);
  if (digest === null || known?.trustFingerprint === admission.trust.fingerprint) return null;
  const replayed = await replay(digest, admission);
  const concern = replayed.ok ? replayed.value.distrusted : replayed.error;
  if (concern !== null) alerts.raise(concern);
  // Damaged evidence is no reason to take away, or to leave out, what the kernel holds intact.
  const mustGo = !replayed.ok && replayed.error.code === 'restore/distrusted';
  return mustGo ? replayed.error : null;
}
