// Which trust policy is in force. The first one is the file on this host; from then on the store is the
// authority. A policy without roots is followed by a newer file; one with roots only by what they sign
// (core/verify/succession.ts). A file that is broken, gone or older takes nothing away.
//
// Invariant: under self-protection, nothing but the policy file itself, which the kernel closes, changes trust.
// The key files and the trusted root that it names are open to root: they count for a version once.
//
// SPDX-License-Identifier: Apache-2.0

import { loadTrustPolicy } from '../adapters/sigstore/trust-file.ts';
import { type Failure, failure, ok, type Result } from '../core/result.ts';
import type { ScopePolicy, TrustPolicy } from '../core/verify/trust.ts';
import { tellUnsigned } from '../decision/trust.ts';
import type { EnforcerStore } from './store/store.ts';

/** What is in force at the start, and what the file asks for besides. */
export interface TrustAtStart {
  readonly trust: TrustPolicy;
  /** A newer file that may take over, once it is known what it would distrust. */
  readonly pending: TrustPolicy | null;
  readonly alert: Failure | null;
}

/** Reads the policy in force, and the file beside it; whether the kernel closes that file to others. */
export function takeTrust(
  file: string,
  store: EnforcerStore,
  isProtected: boolean,
): Result<TrustAtStart> {
  const before = complete(store.read('trust'));
  if (before !== null) return ok(compareWithFile(file, before, store, isProtected));
  const first = loadTrustPolicy(file);
  if (!first.ok) return first;
  const written = store.write({ trust: first.value });
  return written.ok ? ok({ trust: first.value, pending: null, alert: null }) : written;
}

// A store that was written before a demand existed knows nothing of it: then nothing was demanded.
function complete(stored: TrustPolicy | null): TrustPolicy | null {
  if (stored === null) return null;
  const known: Partial<TrustPolicy> = stored;
  const policies = stored.policies.map((it) => ({
    ...{ ...UNDEMANDED, ...it },
    release: { ...NOBODY_NAMED, ...it.release },
  }));
  const { roots = null, breakGlass = null, force = false } = known;
  return { ...stored, policies, roots, breakGlass, force };
}

const NOBODY_NAMED: Pick<ScopePolicy['release'], 'allOf'> = { allOf: [] };
const UNDEMANDED = { verification: null, freshness: null, maxVersionStep: 100_000 };

function compareWithFile(
  file: string,
  trust: TrustPolicy,
  store: EnforcerStore,
  isProtected: boolean,
): TrustAtStart {
  const loaded = loadTrustPolicy(file);
  if (!loaded.ok) return { trust, pending: null, alert: loaded.error };
  const next = loaded.value;
  if (next.fingerprint === trust.fingerprint) return { trust, pending: null, alert: null };
  // The file that began it all stays where it is while signed versions follow.
  const isOlder = next.version < trust.version;
  if (isOlder && trust.roots !== null) return { trust, pending: null, alert: null };
  if (isOlder) return { trust, pending: null, alert: tellOlder(file, next, trust) };
  // An administrator who disabled enforcement may begin again: the way out when too many roots are lost.
  const isDisabled = store.read('disabled') !== null;
  if (isProtected && !isDisabled && trust.roots === null && next.version === trust.version) {
    return { trust, pending: null, alert: tellExchanged(file, trust) };
  }
  if (trust.roots === null || isDisabled) return { trust, pending: next, alert: null };
  return { trust, pending: null, alert: tellUnsigned(file, trust) };
}

function tellExchanged(file: string, trust: TrustPolicy): Failure {
  const what = `${file} says something else under the version that is in force`;
  return failure('trust/unsigned', what, {
    causes: [
      'a key file or the trusted root that it names is another than when it was read',
      `version ${trust.version} stays in force as it was read`,
    ],
    hints: ['put `roots` into the policy and sign what changes: warder trust sign'],
  });
}

function tellOlder(file: string, next: TrustPolicy, trust: TrustPolicy): Failure {
  return failure('trust/invalid', `${file} is older than the trust policy in force`, {
    causes: [`it has version ${next.version}; version ${trust.version} stays in force`],
    hints: ['raise its version'],
  });
}
