// What each check of the verdict compared, as plain values for the decision record. Nothing here decides.
//
// SPDX-License-Identifier: Apache-2.0

import type { ChannelHead } from '../head.ts';
import type { CheckName } from './check.ts';
import type { Evidence } from './evidence.ts';
import { lackingHooks } from './host.ts';
import type { ScopePolicy, TrustPolicy } from './trust.ts';
import type { Plain, VerifyContext } from './verdict.ts';

type Inputs = { readonly [name: string]: Plain };

/** The inputs of every check. */
export function inputsOf(
  evidence: Evidence,
  trust: TrustPolicy,
  scope: ScopePolicy | null,
  context: VerifyContext,
): Record<CheckName, Inputs> {
  const { digest, descriptor, ir, attestations, unread } = evidence;
  const { repository, channel, floor, head, purpose } = context;
  const now = new Date(context.nowMs).toISOString();
  const statements = { attestations: attestations.length, unread: unread.length };
  return {
    'scope-policy': { repository, channel, trustVersion: trust.version },
    revocation: { digest, revokedDigests: trust.revoked.digests.length },
    release: {
      ...statements,
      minimumMatches: scope?.release.minimumMatches ?? null,
      ...(scope === null || scope.release.allOf.length === 0 ? {} : { allOf: scope.release.allOf }),
    },
    provenance: { ...statements, isDemanded: scope === null ? null : scope.provenance !== null },
    verification: {
      ...statements,
      verifier: scope?.verification?.verifier ?? null,
      levels: scope?.verification?.levels ?? [],
      maxAgeMs: scope?.verification?.maxAgeMs ?? null,
      now,
      purpose,
    },
    place: {
      repository: [descriptor.repository, repository],
      channel: [descriptor.channel, channel],
      tenant: [descriptor.tenant, scope?.tenant ?? null],
      selectors: { ...descriptor.selectors },
      labels: { ...context.labels },
    },
    'not-before': { notBefore: descriptor.notBefore, now, purpose },
    expires: { expires: descriptor.expires, now, purpose },
    version: {
      version: descriptor.version,
      floor: floor === null ? null : { highestSeen: floor.highestSeen, digest: floor.digest },
      wasAdmitted: context.admitted.includes(digest),
      maxVersionStep: scope?.maxVersionStep ?? null,
      purpose,
    },
    head: { head: toPlainHead(head), maxAgeMs: scope?.freshness?.maxAgeMs ?? null, now, purpose },
    'agent-version': { wanted: descriptor.minAgentVersion, have: context.agentVersion },
    host: {
      kernel: [descriptor.requires.kernel, context.host?.kernel ?? null],
      hooks: descriptor.requires.hooks,
      lacking: context.host === undefined ? [] : lackingHooks(descriptor.requires, context.host),
      purpose,
    },
    baseline: { rules: ir.rules.length },
  };
}

/** A head as plain values. */
export function toPlainHead(head: ChannelHead | null): Plain {
  return head === null ? null : { ...head };
}
