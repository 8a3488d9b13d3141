// `warder verify REF`: the whole verification of a bundle against a trust policy, without activating
// anything. Criteria are printed first, then every check with its outcome.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission } from '../../core/bundle.ts';
import type { ChannelHead } from '../../core/head.ts';
import type { Reference } from '../../core/reference.ts';
import { err, type Failure, ok, type Result } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { demandsHead, judgeHead } from '../../core/verify/head.ts';
import { judge } from '../../core/verify/judge.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { VerifyContext } from '../../core/verify/verdict.ts';
import type { RegistryPort, VerifierPort } from '../../ports.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { checksText, fields, signerList } from '../text-blocks.ts';

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
  const head = await findHead(reference, ports, trust, context);
  if (!head.ok) return failed('Verification', head.error);
  const verdict = judge(evidence.value, trust, { ...context, head: head.value });
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

// The newest head of the place, when the trust policy demands one. What this host saw before is not known.
async function findHead(
  reference: Reference,
  { registry, verifier }: Parameters<typeof verify>[1],
  trust: TrustPolicy,
  context: VerifyContext,
): Promise<Result<ChannelHead | null, readonly [Failure, ...Failure[]]>> {
  const scope = demandsHead(trust, context);
  if (scope === null) return ok(null);
  const statements = await registry.head(reference.repository, context.channel);
  // Without a head the check says what is missing, beside all other checks.
  if (!statements.ok && statements.error.code === 'verify/head-missing') return ok(null);
  if (!statements.ok) return err([statements.error]);
  const facts = await verifier.read(statements.value, trust);
  if (!facts.ok) return err([facts.error]);
  const { nowMs, repository, channel, floor } = context;
  const place = { nowMs, repository, channel, floor, last: null };
  const judged = judgeHead(facts.value, trust, scope, place);
  return judged.ok ? ok(judged.value.head) : judged;
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
