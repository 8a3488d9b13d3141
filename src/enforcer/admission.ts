// Verification on the privileged side, with this process's own trust policy, floor and clock. What the
// agent believes is no input: it hands over bytes.
//
// Invariants: the floor rises after full verification and its record, and is on the disk before this
// answers, so before the kernel is touched; the evidence is stored in the same breath, so that whatever is ever
// enforced can be verified again with no network.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import { decideBundle } from '../core/decision/bundle.ts';
import type { Digest } from '../core/digest.ts';
import type { BundleSummary } from '../core/enforcement.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { VerifyContext } from '../core/verify/verdict.ts';
import { decideBytes } from '../decision/bytes.ts';
import { narrow } from '../decision/record.ts';
import type { ClockPort, VerifierPort } from '../ports.ts';
import { digestOf } from '../wire/content.ts';
import { privilegedOf, recordDecision, refuseAll, startMeasuring } from './decisions.ts';
import type { Step } from './generations.ts';
import type { EnforcerStore } from './store/store.ts';
import { risenTime } from './time-floor.ts';

/** What verification needs. */
export interface AdmissionOptions {
  readonly store: EnforcerStore;
  readonly verifier: VerifierPort;
  readonly trust: TrustPolicy;
  readonly clock: Pick<ClockPort, 'nowMs'>;
  readonly repository: string;
  readonly channel: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
  readonly step: (step: Step) => void;
}

/** A bundle that may be enforced: what it says, and what to tell about it. */
export interface Admitted {
  readonly ir: PolicyIr;
  readonly summary: BundleSummary;
  /** Admitted under an earlier trust policy and no longer under this one. */
  readonly distrusted: Failure | null;
}

/** Verifies a bundle that was never enforced before, or is offered again. */
export async function admit(
  bundle: BundleBytes,
  options: AdmissionOptions,
): Promise<Result<Admitted>> {
  const { store, trust, step } = options;
  const { digest } = bundle;
  const context = narrow(contextOf(options, 'admit'), [digest]);
  const facts = { context, privileged: privilegedOf(options) };
  const measured = startMeasuring();
  const means = { verifier: options.verifier, stopwatch: measured.stopwatch };
  const decided = await decideBytes(bundle, trust, facts, means);
  const question = { kind: 'bundle', ...facts } as const;
  const draft = { question, subject: digest, bundles: [bundle], decided, ...measured.end() };
  const recorded = recordDecision(draft, options);
  if (!recorded.ok) return recorded;
  const { admission } = decided;
  if (admission === null) return refuseAll(decided);
  step('verified');

  const raised = store.raiseFloor({
    highestSeen: admission.descriptor.version,
    digest: admission.digest,
  });
  if (!raised.ok) return raised;
  step('floor-raised');
  const stored = store.admit(admission, bundle, decided.checks);
  if (!stored.ok) return stored;
  const timed = store.write({ timeFloorMs: risenTime(options) });
  if (!timed.ok) return timed;
  step('admitted');
  return ok({ ir: admission.ir, summary: stored.value, distrusted: null });
}

/**
 * Verifies stored evidence again, offline: hashes always; signatures again when the trust policy is
 * another than the one that the bundle was admitted under. Expiry does not matter here: it blocks new
 * activations and never takes protection away.
 */
export async function replay(digest: Digest, options: AdmissionOptions): Promise<Result<Admitted>> {
  const { store, trust } = options;
  const known = store.admitted(digest);
  if (known === null) {
    return err(failure('restore/evidence-corrupt', `there is no record of ${digest}`));
  }
  const bytes = store.evidence(digest);
  if (!bytes.ok) return bytes;
  const measured = startMeasuring();
  const answer = await options.verifier.collect(bytes.value, trust);
  if (!answer.ok) return answer;
  const admitted = { ir: answer.value.ir, summary: known.summary };
  if (known.trustFingerprint === trust.fingerprint) return ok({ ...admitted, distrusted: null });
  const facts = { context: narrow(contextOf(options, 'replay'), [digest]), privileged: null };
  const attestations = bytes.value.attestations.map(digestOf);
  const collected = { answer, digest, attestations };
  const decided = decideBundle(collected, trust, facts, measured.stopwatch);
  const question = { kind: 'bundle', ...facts } as const;
  const draft = { question, subject: digest, bundles: [bytes.value], decided, ...measured.end() };
  // What is enforced already does not wait for its record.
  recordDecision(draft, options);
  if (decided.failures.length === 0) return ok({ ...admitted, distrusted: null });
  const reason = refuseAll(decided).error;
  const distrusted = failure(
    'restore/distrusted',
    `the trust policy in force no longer admits ${digest}`,
    { causes: [`${reason.code}: ${reason.message}`, ...reason.causes] },
  );
  return trust.onDistrustedLkg === 'baseline' ? err(distrusted) : ok({ ...admitted, distrusted });
}

/** Nothing changes what is enforced while an administrator has it off. */
export function checkEnabled(store: EnforcerStore): Result<void> {
  const disabled = store.read('disabled');
  if (disabled === null) return ok(undefined);
  return err(
    failure('activate/disabled', `enforcement was disabled by ${disabled.by}`, {
      causes: [disabled.reason],
      hints: ['run: warder resume'],
    }),
  );
}

/** What this host knows, for a verdict. */
export function contextOf(
  options: AdmissionOptions,
  purpose: VerifyContext['purpose'],
): VerifyContext {
  return {
    nowMs: options.clock.nowMs(),
    floor: options.store.read('floor'),
    admitted: options.store.admittedDigests(),
    repository: options.repository,
    channel: options.channel,
    agentVersion: options.version,
    labels: options.labels,
    head: options.store.read('head'),
    purpose,
  };
}
