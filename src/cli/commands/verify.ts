// `warder verify REF`: the whole verification of a bundle against a trust policy, without activating
// anything. Criteria are printed first, then every check with its outcome.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission } from '../../core/bundle.ts';
import type { Reference } from '../../core/reference.ts';
import { escapeText } from '../../core/text.ts';
import { judge } from '../../core/verify/judge.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { CheckRecord, VerifyContext } from '../../core/verify/verdict.ts';
import type { RegistryPort, VerifierPort } from '../../ports.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { fields, signerList } from '../text-blocks.ts';

/** Resolves, fetches, verifies. The floor is not known here unless the context brings one. */
export async function verify(
  reference: Reference,
  ports: { readonly registry: RegistryPort; readonly verifier: VerifierPort },
  trust: TrustPolicy,
  context: VerifyContext,
): Promise<Outcome> {
  const candidate = await ports.registry.resolve(reference);
  if (!candidate.ok) return failed('Verification', [candidate.error]);
  const bundle = await ports.registry.fetch(candidate.value);
  if (!bundle.ok) return failed('Verification', [bundle.error]);
  const evidence = await ports.verifier.collect(bundle.value, trust);
  if (!evidence.ok) return failed('Verification', [evidence.error]);
  const verdict = judge(evidence.value, trust, context);
  const document = {
    digest: candidate.value.digest,
    criteria: criteria(trust, context) as Json,
    checks: verdict.checks as unknown as Json,
  };
  const text = `${criteriaText(trust, context)}\n${checksText(verdict.checks)}`;
  if (verdict.kind === 'refused') {
    return failed('Verification', verdict.failures, { ...document, verdict: 'refused' }, text);
  }
  const { admission } = verdict;
  return done(
    'Verification',
    { ...document, verdict: 'accepted', admission: admission as unknown as Json },
    `${text}\n${admissionText(admission)}`,
  );
}

function criteria(trust: TrustPolicy, context: VerifyContext) {
  return {
    trustVersion: trust.version,
    trustFingerprint: trust.fingerprint,
    repository: context.repository,
    channel: context.channel,
    at: new Date(context.nowMs).toISOString(),
    floor: context.floor?.highestSeen ?? null,
  };
}

function criteriaText(trust: TrustPolicy, context: VerifyContext): string {
  const it = criteria(trust, context);
  return `criteria\n${fields([
    ['trust policy', `version ${it.trustVersion}, ${it.trustFingerprint}`],
    ['repository', escapeText(it.repository)],
    ['channel', escapeText(it.channel)],
    ['at', it.at],
    ['version floor', it.floor === null ? 'none: this is not a host' : `v${it.floor}`],
  ])}`;
}

function checksText(checks: readonly CheckRecord[]): string {
  const width = Math.max(...checks.map((it) => it.check.length));
  const rows = checks.map(
    (it) => `  ${it.outcome.padEnd(7)}  ${it.check.padEnd(width)}  ${escapeText(it.detail)}`,
  );
  return ['checks', ...rows].join('\n');
}

function admissionText(admission: Admission): string {
  const { descriptor } = admission;
  return `accepted: v${descriptor.version}\n${fields([
    ['digest', admission.digest],
    ['commit', `${descriptor.source.commit} of ${escapeText(descriptor.source.repository)}`],
    ['signed by', signerList(admission.signers)],
    ['rules', String(admission.ir.rules.length)],
    ['expires', descriptor.expires],
  ])}`;
}
