// Verification on the privileged side, with this process's own trust policy, floor and clock. What the
// agent believes is no input: it hands over bytes.
//
// Invariants: the floor rises after full verification and its record, and is on the disk before this
// answers, so before the kernel is touched; the evidence is stored in the same breath, so that whatever is ever
// enforced can be verified again with no network.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { BundleSummary } from '../core/enforcement.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { HostOffer, VerifyContext } from '../core/verify/verdict.ts';
import { decideBytes } from '../decision/bytes.ts';
import { narrow } from '../decision/record.ts';
import type { ClockPort, VerifierPort } from '../ports.ts';
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
  /** What this host offers now. */
  readonly host: () => HostOffer;
  readonly step: (step: Step) => void;
}

/** A bundle that may be enforced: what it says, and what to tell about it. */
export interface Admitted {
  readonly ir: PolicyIr;
  readonly summary: BundleSummary;
  /** Admitted under an earlier trust policy and no longer, or not in the same way, under this one. */
  readonly concern: Failure | null;
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
  const stored = store.admit(admission, bundle, decided.checks, trust.trustedRoot);
  if (!stored.ok) return stored;
  const timed = store.write({ timeFloorMs: risenTime(options, decided.provenMs) });
  if (!timed.ok) return timed;
  step('admitted');
  return ok({ ir: admission.ir, summary: stored.value, concern: null });
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
    host: options.host(),
    purpose,
  };
}
