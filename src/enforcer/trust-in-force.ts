// Which trust policy is in force. The first one is the file on this host; from then on the store is the
// authority. A policy without roots is followed by a newer file; one with roots only by what they sign
// (core/verify/succession.ts). A file that is broken, gone or older takes nothing away.
//
// SPDX-License-Identifier: Apache-2.0

import { loadTrustPolicy } from '../adapters/sigstore/trust-file.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { checkRoots, checkSuccessor, signersOf } from '../core/verify/succession.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { VerifierPort } from '../ports.ts';
import { parseTrustDocument } from '../wire/signed-trust.ts';
import type { EnforcerStore } from './store/store.ts';

/** What is in force at the start, and what the file asks for besides. */
export interface TrustAtStart {
  readonly trust: TrustPolicy;
  /** A newer file that may take over, once it is known what it would distrust. */
  readonly pending: TrustPolicy | null;
  readonly alert: Failure | null;
}

/** Reads the policy in force, and the file beside it. */
export function takeTrust(file: string, store: EnforcerStore): Result<TrustAtStart> {
  const before = complete(store.read('trust'));
  if (before !== null) return ok(compareWithFile(file, before, store));
  const first = loadTrustPolicy(file);
  if (!first.ok) return first;
  const written = store.write({ trust: first.value });
  return written.ok ? ok({ trust: first.value, pending: null, alert: null }) : written;
}

// A store that was written before a demand existed knows nothing of it: then nothing was demanded.
function complete(stored: TrustPolicy | null): TrustPolicy | null {
  if (stored === null) return null;
  const known: Partial<TrustPolicy> = stored;
  const policies = stored.policies.map((it) => ({ ...UNDEMANDED, ...it }));
  return { ...stored, policies, roots: known.roots ?? null, force: known.force ?? false };
}

const UNDEMANDED = { freshness: null, maxVersionStep: 100_000 };

function compareWithFile(file: string, trust: TrustPolicy, store: EnforcerStore): TrustAtStart {
  const loaded = loadTrustPolicy(file);
  if (!loaded.ok) return { trust, pending: null, alert: loaded.error };
  const next = loaded.value;
  if (next.fingerprint === trust.fingerprint) return { trust, pending: null, alert: null };
  // The file that began it all stays where it is while signed versions follow.
  const isOlder = next.version < trust.version;
  if (isOlder && trust.roots !== null) return { trust, pending: null, alert: null };
  if (isOlder) return { trust, pending: null, alert: tellOlder(file, next, trust) };
  // An administrator who disabled enforcement may begin again: the way out when too many roots are lost.
  if (trust.roots === null || store.read('disabled') !== null) {
    return { trust, pending: next, alert: null };
  }
  return { trust, pending: null, alert: tellUnsigned(file, trust) };
}

function tellOlder(file: string, next: TrustPolicy, trust: TrustPolicy): Failure {
  return failure('trust/invalid', `${file} is older than the trust policy in force`, {
    causes: [`it has version ${next.version}; version ${trust.version} stays in force`],
    hints: ['raise its version'],
  });
}

function tellUnsigned(what: string, trust: TrustPolicy): Failure {
  return failure('trust/unsigned', `${what} is not signed by the roots of the trust policy`, {
    causes: [`version ${trust.version} stays in force`],
    hints: ['sign it with `warder trust sign`, then: warder trust apply'],
  });
}

/** Verifies a signed successor by the root rules; what it would distrust is not asked here. */
export async function verifySuccessor(
  statements: readonly Uint8Array[],
  current: TrustPolicy,
  verifier: VerifierPort,
): Promise<Result<TrustPolicy>> {
  if (current.roots === null) {
    return err(
      failure('trust/unsigned', 'the trust policy in force has no roots that could sign another', {
        hints: ['add `roots` to the file on this host, with a higher version'],
      }),
    );
  }
  const revoked = current.revoked.keys;
  const before = await verifier.read(statements, current);
  if (!before.ok) return before;
  const said = before.value.flatMap((it) =>
    it.kind === 'signed' && it.claim.kind === 'trust' ? [it.claim.document] : [],
  );
  const reasons = before.value.flatMap((it) => (it.kind === 'unusable' ? [it.failure.code] : []));
  const [document] = said;
  if (document === undefined) {
    const none = checkRoots(current.roots, [], revoked, `version ${current.version}`);
    return err({ ...(none ?? tellUnsigned('it', current)), causes: reasons });
  }
  // Nothing of the document is read before enough of the roots in force have signed it.
  const oldKeys = signersOf(before.value, document);
  const short = checkRoots(current.roots, oldKeys, revoked, `version ${current.version}`);
  if (short !== null) return err(short);
  const next = parseTrustDocument(new TextEncoder().encode(document));
  if (!next.ok) return next;
  const order = checkSuccessor(current, next.value);
  if (order !== null) return err(order);
  return checkOwnRoots(statements, document, next.value, verifier);
}

async function checkOwnRoots(
  statements: readonly Uint8Array[],
  document: string,
  next: TrustPolicy,
  verifier: VerifierPort,
): Promise<Result<TrustPolicy>> {
  if (next.roots === null) {
    const hints = ['roots are changed, never dropped'];
    return err(failure('trust/unsigned', 'the new trust policy has no roots', { hints }));
  }
  const after = await verifier.read(statements, next);
  if (!after.ok) return after;
  const keys = signersOf(after.value, document);
  const short = checkRoots(next.roots, keys, next.revoked.keys, `version ${next.version}`);
  return short === null ? ok(next) : err(short);
}
