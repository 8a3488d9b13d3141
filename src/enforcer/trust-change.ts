// A trust policy takes over while the process runs (decision/trust.ts decides). Forced, a bundle that it
// distrusts has the outcome that the new policy configures: it is kept and told, or the host goes back to
// the baseline.
//
// SPDX-License-Identifier: Apache-2.0

import type { OtherPlace } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import type { TrustReport } from '../core/enforcement.ts';
import { MAIN_SOURCE } from '../core/policy/sources.ts';
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
import type { Sources } from './sources.ts';

/** Somewhere that the policy in force is kept for everybody who judges by it. */
export interface TrustSlot {
  current: TrustPolicy;
}

/** Decides about a policy, writes it down and puts it in force; `enforced` is what is enforced now. */
export async function changeTrust(
  from: NextTrust,
  enforced: readonly Digest[],
  isForced: boolean,
  slot: TrustSlot,
  sources: Sources,
): Promise<Result<TrustReport>> {
  const { main } = sources;
  const { store, verifier } = main;
  const { current } = slot;
  const { active, context, others } = lookAt(enforced, sources);
  const measured = startMeasuring();
  const decided = await decideTrust(from, { current, active, isForced, context, others }, verifier);
  const { next, distrusted } = decided;
  if (next !== null && next.fingerprint === current.fingerprint) {
    return ok({ version: next.version, fingerprint: next.fingerprint, distrusted });
  }
  const recorded = recordDecision(
    {
      question: { kind: 'trust', from: from.kind, isForced, context, ...tellOthers(others) },
      subject: next?.fingerprint ?? null,
      bundles: active.map((it) => (it.bytes.ok ? it.bytes.value : { missing: it.digest })),
      ...(from.kind === 'file' ? { next: from.policy } : { statements: from.statements }),
      ...{ decided, ...measured.end() },
    },
    main,
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
  enforced: readonly Digest[],
  sources: Sources,
): Promise<readonly { readonly digest: Digest; readonly why: string }[]> {
  const facts = lookAt(enforced, sources);
  const found = await findDistrusted(next, facts, sources.main.verifier);
  return found.filter(({ why }) => why !== '').map(({ digest, why }) => ({ digest, why }));
}

// Everything that is enforced or the last-known-good of a source, and the places that are not the main one.
function lookAt(enforced: readonly Digest[], sources: Sources) {
  const good = sources.all.flatMap(({ store }) => store.read('lastKnownGood') ?? []);
  const digests = [...new Set([...enforced, ...good])];
  const others = digests.flatMap((digest) => {
    const { name, repository, channel } = sources.holding(digest);
    return name === MAIN_SOURCE ? [] : [{ digest, repository, channel }];
  });
  return {
    active: digests.map((digest) => toActive(digest, sources.main)),
    context: narrow(contextOf(sources.main, 'replay'), digests),
    others,
  };
}

function tellOthers(others: readonly OtherPlace[]): { readonly others?: readonly OtherPlace[] } {
  return others.length === 0 ? {} : { others };
}

function toActive(digest: Digest, { store }: AdmissionOptions): ActiveBundle {
  const version = store.admitted(digest)?.summary.version;
  const name = version === undefined ? digest : `v${version} (${digest})`;
  return { digest, name, bytes: store.evidence(digest) };
}
