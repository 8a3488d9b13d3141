// Verification on the privileged side, with this process's own trust policy, floor and clock. What the
// agent believes is no input: it hands over bytes.
//
// Invariants: the floor rises after full verification and is on the disk before this answers, so
// before the kernel is touched; the evidence is stored in the same breath, so that whatever is ever
// enforced can be verified again with no network.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission, BundleBytes } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import type { BundleSummary } from '../core/enforcement.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { findBaselineViolations } from '../core/policy/lockout.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { judge } from '../core/verify/judge.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { VerifyContext } from '../core/verify/verdict.ts';
import type { ClockPort, VerifierPort } from '../ports.ts';
import type { Step } from './generations.ts';
import type { EnforcerStore } from './store/store.ts';
import { checkClock, risenTime } from './time-floor.ts';

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
  const { store, step } = options;
  const able = checkAble(options);
  if (!able.ok) return able;
  const evidence = await options.verifier.collect(bundle, options.trust);
  if (!evidence.ok) return evidence;
  const verdict = judge(evidence.value, options.trust, contextOf(options, 'admit'));
  if (verdict.kind === 'refused') return err(combine(verdict.failures));
  step('verified');
  const { admission } = verdict;
  const survivable = checkSurvival(admission);
  if (!survivable.ok) return survivable;
  const free = checkHold(admission, store);
  if (!free.ok) return free;

  const raised = store.raiseFloor({
    highestSeen: admission.descriptor.version,
    digest: admission.digest,
  });
  if (!raised.ok) return raised;
  step('floor-raised');
  const stored = store.admit(admission, bundle, verdict.checks);
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
  const evidence = await options.verifier.collect(bytes.value, trust);
  if (!evidence.ok) return evidence;
  const admitted = { ir: evidence.value.ir, summary: known.summary };
  if (known.trustFingerprint === trust.fingerprint) return ok({ ...admitted, distrusted: null });
  const verdict = judge(evidence.value, trust, contextOf(options, 'replay'));
  if (verdict.kind === 'accepted') return ok({ ...admitted, distrusted: null });
  const reason = combine(verdict.failures);
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

// Before the floor rises: a bundle that is refused here was never a candidate.
function checkSurvival({ digest, ir }: Admission): Result<void> {
  const violations = findBaselineViolations(ir.rules);
  if (violations.length === 0) return ok(undefined);
  return err(
    failure('activate/baseline-violation', `${digest} would lock this host out`, {
      causes: violations,
      hints: ['`warder lint` names the rules and what to exempt'],
    }),
  );
}

function checkAble(options: AdmissionOptions): Result<void> {
  if (options.store.read('lost') === null) return checkClock(options);
  return err(
    failure('state/lost', 'the version floor was lost; nothing new is admitted', {
      hints: ['make sure that no older bundle is offered, then run: warder resume'],
    }),
  );
}

/** A digest that was rolled away from stays out until something newer comes. */
function checkHold({ digest, descriptor }: Admission, store: EnforcerStore): Result<void> {
  const hold = store.read('hold');
  if (hold === null || descriptor.version > hold.version) return ok(undefined);
  if (digest === store.read('lastKnownGood')) return ok(undefined);
  return err(
    failure('activate/held', `version ${hold.version} was rolled away from by ${hold.by}`, {
      causes: [hold.reason],
      hints: ['publish a higher version, or run: warder resume'],
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

/** One failure that carries all: the first decides the code. */
export function combine([first, ...others]: readonly [Failure, ...Failure[]]): Failure {
  const rest = others.map((it) => `${it.code}: ${it.message}`);
  return failure(first.code, first.message, {
    causes: [...first.causes, ...rest],
    hints: first.hints,
  });
}
