// The keys of the trust policy, found by what a bundle's hint may be. A hint is a search word that a
// stranger chose: it selects a key to try, and the signature decides. A Map, never a plain object: the
// hint `__proto__` must find nothing (bad input S19).
//
// SPDX-License-Identifier: Apache-2.0

import { createPublicKey, type KeyObject } from 'node:crypto';
import { digestHex } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import { parsePublicKey } from '../../wire/trust-key.ts';

/** Keys by hint. */
export type KeyRing = ReadonlyMap<string, KeyObject>;

/** Every key of every scope, whatever its window: windows are judged in core. */
export function makeKeyRing(trust: TrustPolicy): Result<KeyRing> {
  const ring = new Map<string, KeyObject>();
  const scopes = trust.policies.flatMap((it) => [
    it.release,
    it.freshness ?? { anyOf: [] },
    it.verification ?? { anyOf: [] },
  ]);
  // Roots sign the trust policy, others sign orders; what a key may sign is judged in core.
  const roots = [...(trust.roots?.keys ?? []), ...(trust.breakGlass?.keys ?? [])];
  for (const entry of [...roots, ...scopes.flatMap((it) => it.anyOf)]) {
    const parsed = parsePublicKey(entry.publicKeyPem);
    if (!parsed.ok) return parsed;
    if (parsed.value.fingerprint !== entry.fingerprint) {
      return err(failure('trust/key-invalid', `key ${entry.id} is not the key of its fingerprint`));
    }
    const key = createPublicKey(entry.publicKeyPem);
    // Warder writes the fingerprint; cosign writes the same hash in base64.
    ring.set(entry.fingerprint, key);
    ring.set(Buffer.from(digestHex(entry.fingerprint), 'hex').toString('base64'), key);
  }
  return ok(ring);
}
