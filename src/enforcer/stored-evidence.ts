// VERIFY-21: stored evidence is hashed whenever a process takes over what rests on it: a generation that the kernel holds
// intact needs none of its bytes now, but a reboot, a repair or another trust policy will.
//
// Deliberately absent: signatures. They were verified at the admission, and are again under another trust policy
// (replay.ts). What is damaged is told; nothing that is enforced goes for it.
//
// SPDX-License-Identifier: Apache-2.0

import { checkContent } from '../adapters/sigstore/content.ts';
import type { Digest } from '../core/digest.ts';
import { type Failure, failure } from '../core/result.ts';
import type { EnforcerStore } from './store/store.ts';

/** Why the stored evidence of a bundle would not bring it back; null when every hash holds. */
export function findDamage(digest: Digest, store: EnforcerStore): Failure | null {
  const stored = store.evidence(digest);
  const content = stored.ok ? checkContent(stored.value) : stored;
  if (content.ok) return null;
  const { code, message, causes } = content.error;
  return failure('restore/evidence-corrupt', `the stored evidence of ${digest} is damaged`, {
    causes: code === 'restore/evidence-corrupt' ? causes : [`${code}: ${message}`, ...causes],
    hints: ['what the kernel holds stays in force; publish a newer bundle before the next reboot'],
  });
}
