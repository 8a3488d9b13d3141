// A trust policy takes over while the process runs. First it is asked of everything that is active whether
// the new policy still admits it: a change that would distrust it is refused, with the list, unless it is
// forced (by root here, or by the roots' signatures in the document). Forced, the distrusted bundle has
// the outcome that the new policy configures: it is kept and told, or the host goes back to the baseline.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { TrustReport } from '../core/enforcement.ts';
import { err, ok, type Result } from '../core/result.ts';
import { judge } from '../core/verify/judge.ts';
import { wouldDistrust } from '../core/verify/succession.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { type AdmissionOptions, contextOf } from './admission.ts';

/** Somewhere that the policy in force is kept for everybody who judges by it. */
export interface TrustSlot {
  current: TrustPolicy;
}

/** What would be distrusted, and why. */
interface Distrusted {
  readonly digest: Digest;
  readonly why: string;
}

/** Writes the policy down and puts it in force; `active` is what is enforced now. */
export async function changeTrust(
  next: TrustPolicy,
  active: Digest | null,
  isForced: boolean,
  slot: TrustSlot,
  options: AdmissionOptions,
): Promise<Result<TrustReport>> {
  const { store } = options;
  const { version, fingerprint } = next;
  if (fingerprint === slot.current.fingerprint) return ok({ version, fingerprint, distrusted: [] });
  const distrusted = await distrustedBy(next, active, options);
  if (distrusted.length > 0 && !isForced && !next.force) {
    const causes = distrusted.map(({ digest, why }) => `${nameOf(digest, options)}: ${why}`);
    return err(wouldDistrust(version, causes));
  }
  const written = store.write({ trust: next });
  if (!written.ok) return written;
  slot.current = next;
  return ok({ version, fingerprint, distrusted: distrusted.map((it) => it.digest) });
}

/** Whatever is active that a policy does not admit. */
export async function distrustedBy(
  next: TrustPolicy,
  active: Digest | null,
  options: AdmissionOptions,
): Promise<readonly Distrusted[]> {
  const digests = new Set([active, options.store.read('lastKnownGood')]);
  const distrusted: Distrusted[] = [];
  for (const digest of digests) {
    const why = digest === null ? null : await whyDistrusted(digest, next, options);
    if (digest !== null && why !== null) distrusted.push({ digest, why });
  }
  return distrusted;
}

function nameOf(digest: Digest, { store }: AdmissionOptions): string {
  const version = store.admitted(digest)?.summary.version;
  return version === undefined ? digest : `v${version} (${digest})`;
}

// What cannot be judged any more is told like what is refused: nobody could say that it is trusted.
async function whyDistrusted(
  digest: Digest,
  next: TrustPolicy,
  options: AdmissionOptions,
): Promise<string | null> {
  const bytes = options.store.evidence(digest);
  if (!bytes.ok) return bytes.error.code;
  const evidence = await options.verifier.collect(bytes.value, next);
  if (!evidence.ok) return evidence.error.code;
  const verdict = judge(evidence.value, next, contextOf(options, 'replay'));
  if (verdict.kind === 'accepted') return null;
  return verdict.failures.map((it) => `${it.code}, ${it.message}`).join('; ');
}
