// A trust policy takes over while the process runs (decision/trust.ts decides). Forced, a bundle that it
// distrusts has the outcome that the new policy configures: it is kept and told, or the host goes back to
// the baseline.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { TrustReport } from '../core/enforcement.ts';
import { ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { narrow } from '../decision/record.ts';
import {
  type ActiveBundle,
  decideTrust,
  findDistrusted,
  type NextTrust,
} from '../decision/trust.ts';
import { type AdmissionOptions, contextOf } from './admission.ts';
import { recordDecision, refuseAll, startMeasuring } from './decisions.ts';

/** Somewhere that the policy in force is kept for everybody who judges by it. */
export interface TrustSlot {
  current: TrustPolicy;
}

/** Decides about a policy, writes it down and puts it in force; `enforced` is what is enforced now. */
export async function changeTrust(
  from: NextTrust,
  enforced: Digest | null,
  isForced: boolean,
  slot: TrustSlot,
  options: AdmissionOptions,
): Promise<Result<TrustReport>> {
  const { store, verifier } = options;
  const { current } = slot;
  const digests = activeDigests(enforced, options);
  const active = digests.map((digest) => toActive(digest, options));
  const context = narrow(contextOf(options, 'replay'), digests);
  const measured = startMeasuring();
  const decided = await decideTrust(from, { current, active, isForced, context }, verifier);
  const { next, distrusted } = decided;
  if (next !== null && next.fingerprint === current.fingerprint) {
    return ok({ version: next.version, fingerprint: next.fingerprint, distrusted });
  }
  const recorded = recordDecision(
    {
      question: { kind: 'trust', from: from.kind, isForced, context },
      subject: next?.fingerprint ?? null,
      bundles: active.map((it) => (it.bytes.ok ? it.bytes.value : { missing: it.digest })),
      ...(from.kind === 'file' ? { next: from.policy } : { statements: from.statements }),
      ...{ decided, ...measured.end() },
    },
    options,
  );
  if (!recorded.ok) return recorded;
  if (next === null) return refuseAll(decided);
  const written = store.write({ trust: next });
  if (!written.ok) return written;
  slot.current = next;
  return ok({ version: next.version, fingerprint: next.fingerprint, distrusted });
}

/** Whatever is active that a policy does not admit; nothing is changed or recorded. */
export async function distrustedBy(
  next: TrustPolicy,
  enforced: Digest | null,
  options: AdmissionOptions,
): Promise<readonly { readonly digest: Digest; readonly why: string }[]> {
  const digests = activeDigests(enforced, options);
  const active = digests.map((digest) => toActive(digest, options));
  const context = narrow(contextOf(options, 'replay'), digests);
  const found = await findDistrusted(next, active, context, options.verifier);
  return found.filter(({ why }) => why !== '').map(({ digest, why }) => ({ digest, why }));
}

function activeDigests(enforced: Digest | null, { store }: AdmissionOptions): readonly Digest[] {
  return [...new Set([enforced, store.read('lastKnownGood')])].filter((it) => it !== null);
}

function toActive(digest: Digest, { store }: AdmissionOptions): ActiveBundle {
  const version = store.admitted(digest)?.summary.version;
  const name = version === undefined ? digest : `v${version} (${digest})`;
  return { digest, name, bytes: store.evidence(digest) };
}
