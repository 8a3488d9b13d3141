// The verdict over a bundle: facts in, decision out. Pure; every reason is collected.
//
// Invariants: a bundle is accepted only when every check that was asked was made and passed; a check that
// could not be made is a refusal; nothing here depends on the order of the attestations; adding or
// removing an attestation can only move the verdict towards the side that its content supports.
// Deliberately absent: signatures (adapters/sigstore collected them as facts) and the raising of the
// floor (the machine does that, after this and before the kernel is touched).
//
// SPDX-License-Identifier: Apache-2.0

import type { Signer } from '../bundle.ts';
import { shortDigest } from '../digest.ts';
import { type Failure, invariant } from '../result.ts';
import {
  type CheckAnswer,
  type CheckName,
  checksOf,
  notRun,
  passed,
  refuse,
  say,
} from './check.ts';
import { checkAgentVersion, checkBaseline } from './content.ts';
import type { Evidence } from './evidence.ts';
import { checkExpires, checkHead, checkNotBefore, checkVersion } from './freshness.ts';
import { checkHost } from './host.ts';
import { inputsOf } from './inputs.ts';
import { checkProvenance } from './provenance.ts';
import { checkRelease } from './release.ts';
import { checkPlace, selectScope } from './scope.ts';
import type { ScopePolicy, TrustPolicy } from './trust.ts';
import type { CheckRecord, VerifyContext, VerifyVerdict } from './verdict.ts';
import { checkVerification } from './verification.ts';

/** Milliseconds that passed since something; only differences mean anything. */
export type Stopwatch = () => number;

/** Judges collected evidence by a trust policy, for one host at one time. */
export function judge(
  evidence: Evidence,
  trust: TrustPolicy,
  context: VerifyContext,
  stopwatch: Stopwatch | null = null,
): VerifyVerdict {
  const { answers, signers, scope } = runChecks(evidence, trust, context, stopwatch);
  const inputs = inputsOf(evidence, trust, scope, context);
  const asked = checksOf(context, scope);
  const checks = asked.map((check): CheckRecord => {
    const { outcome, detail, failures, durationMs } = answers[check];
    const codes = [...new Set(failures.map((it) => it.code))];
    const took = durationMs === undefined ? {} : { durationMs };
    return { check, outcome, detail, inputs: inputs[check], codes, ...took };
  });
  if (checks.every((it) => it.outcome === 'passed')) {
    const { digest, descriptor, ir } = evidence;
    const verifiedAt = new Date(context.nowMs).toISOString();
    const trustFingerprint = trust.fingerprint;
    return {
      kind: 'accepted',
      admission: { digest, descriptor, ir, signers, trustFingerprint, verifiedAt },
      checks,
    };
  }
  const [first, ...rest] = withoutRepeats(asked.flatMap((it) => answers[it].failures));
  invariant(first !== undefined, 'a check is left out only after another one refused');
  return { kind: 'refused', failures: [first, ...rest], checks };
}

const asksNoHost = notRun('no host is asked about');

type Timed = CheckAnswer & { readonly durationMs?: number };

function runChecks(
  evidence: Evidence,
  trust: TrustPolicy,
  context: VerifyContext,
  stopwatch: Stopwatch | null,
) {
  const { digest, descriptor, ir } = evidence;
  const { host, purpose } = context;
  const scope = selectScope(trust, context);
  const skipped = notRun('no scope of the trust policy applies');
  const court = scope === null ? null : { digest, scope, trust, context };
  let signers: readonly Signer[] = [];
  const release = (): CheckAnswer => {
    if (court === null) return skipped;
    const found = checkRelease(evidence, court);
    signers = found.signers;
    return found.answer;
  };
  const run = (check: () => CheckAnswer): Timed => {
    if (stopwatch === null) return check();
    const from = stopwatch();
    const answer = check();
    return { ...answer, durationMs: stopwatch() - from };
  };
  const answers: Record<CheckName, Timed> = {
    'scope-policy': run(() => checkScopePolicy(scope, context)),
    revocation: run(() => checkRevocation(evidence, trust)),
    release: run(release),
    provenance: run(() => (court === null ? skipped : checkProvenance(evidence, court))),
    verification: run(() =>
      court === null ? skipped : checkVerification(evidence, court, context.repository),
    ),
    place: run(() => checkPlace(descriptor, scope, context)),
    'not-before': run(() => checkNotBefore(descriptor, context)),
    expires: run(() => checkExpires(descriptor, context)),
    version: run(() => checkVersion(digest, descriptor, scope, context)),
    head: run(() => checkHead(digest, descriptor, scope, context)),
    'agent-version': run(() => checkAgentVersion(descriptor, context.agentVersion)),
    host: run(() => (host === undefined ? asksNoHost : checkHost(descriptor, { host, purpose }))),
    baseline: run(() => checkBaseline(ir)),
  };
  return { answers, signers, scope };
}

function checkScopePolicy(scope: ScopePolicy | null, context: VerifyContext): CheckAnswer {
  const place = `${say(context.repository)}, channel ${say(context.channel)}`;
  if (scope !== null) return passed(`policy ${scope.name} speaks for ${place}`);
  return refuse('verify/scope-mismatch', `no policy of the trust policy speaks for ${place}`);
}

function checkRevocation(evidence: Evidence, trust: TrustPolicy): CheckAnswer {
  if (!trust.revoked.digests.includes(evidence.digest)) return passed('the digest is not revoked');
  const name = shortDigest(evidence.digest);
  return refuse('verify/digest-revoked', `the trust policy revokes ${name}`);
}

/** One unusable attestation is a reason of two checks; it is told once. */
function withoutRepeats(failures: readonly Failure[]): readonly Failure[] {
  const told = new Map<string, Failure>();
  for (const it of failures) {
    const name = [it.code, it.message, ...it.causes].join('\n');
    if (!told.has(name)) told.set(name, it);
  }
  return [...told.values()];
}
