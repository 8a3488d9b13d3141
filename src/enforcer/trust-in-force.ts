// Which trust policy is in force. The file is the administrator's wish; the store remembers what was
// granted last, so that a file that is broken, gone or older takes nothing away at boot.
//
// SPDX-License-Identifier: Apache-2.0

import { loadTrustPolicy } from '../adapters/sigstore/trust-file.ts';
import { type Failure, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { EnforcerStore } from './store/store.ts';

/** The policy in force, and why it is not the one in the file. */
export interface TrustInForce {
  readonly trust: TrustPolicy;
  readonly alert: Failure | null;
}

/** Takes the file over when it is valid and not older than what was in force. */
export function takeTrust(file: string, store: EnforcerStore): Result<TrustInForce> {
  const before = store.read('trust');
  const loaded = loadTrustPolicy(file);
  if (!loaded.ok) return before === null ? loaded : ok({ trust: before, alert: loaded.error });
  const trust = loaded.value;
  if (before !== null && trust.version < before.version) {
    const alert = failure('trust/invalid', `${file} is older than the trust policy in force`, {
      causes: [`it has version ${trust.version}; version ${before.version} stays in force`],
      hints: ['raise its version'],
    });
    return ok({ trust: before, alert });
  }
  const written =
    before?.fingerprint === trust.fingerprint ? ok(undefined) : store.write({ trust });
  return written.ok ? ok({ trust, alert: null }) : written;
}
