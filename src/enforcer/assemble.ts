// The parts of the process put together, with every outside thing as an argument: compose.ts passes
// the real ones, tests pass a kernel of their own.
//
// SPDX-License-Identifier: Apache-2.0

import type { ProofReport } from '../core/enforcement.ts';
import type { Failure, Result } from '../core/result.ts';
import { toOffer } from '../core/verify/host.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { HostOffer } from '../core/verify/verdict.ts';
import type { ClockPort, VerifierPort } from '../ports.ts';
import type { AdmissionOptions } from './admission.ts';
import { Alerts } from './alerts.ts';
import { BreakGlass, type BreakGlassOptions } from './break-glass.ts';
import { Enforcer } from './enforcer.ts';
import { EventPump } from './events.ts';
import { EXPLAIN_RATES } from './explain-budget.ts';
import { Generations, type Step } from './generations.ts';
import type { KernelPort } from './kernel-port.ts';
import { Lineage, runningPrograms } from './lineage.ts';
import { MountWatch } from './mount-watch.ts';
import type { Mount } from './mounts.ts';
import { findExe, hasUnifiedGroups } from './processes.ts';
import { Prover } from './prover.ts';
import type { SelfPlan } from './self-protection.ts';
import { Sources } from './sources.ts';
import type { EnforcerStore, KnownSource } from './store/store.ts';
import type { TrustSlot } from './trust-change.ts';

/** Everything that the enforcer stands on. */
export interface Foundations {
  readonly kernel: KernelPort;
  readonly store: EnforcerStore;
  readonly verifier: VerifierPort;
  readonly trust: TrustPolicy;
  readonly clock: ClockPort;
  readonly repository: string;
  readonly channel: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Besides the main one. */
  readonly sources: readonly KnownSource[];
  readonly version: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
  readonly object: string;
  readonly pinDir: string;
  readonly canaryDir: string;
  readonly confirmWindowMs: number;
  readonly proofPeriodMs: number;
  readonly publishProof: (report: ProofReport | null) => void;
  readonly scanEntriesMax: number;
  readonly self: SelfPlan;
  readonly bootId: string;
  readonly bootEpochMs: () => number;
  /** Boot time, sleep included. */
  readonly uptimeMs: () => number;
  readonly findGroup: BreakGlassOptions['findGroup'];
  readonly mounts: () => Result<readonly Mount[]>;
  readonly tell: (alert: Failure) => void;
  readonly step: (step: Step) => void;
}

/** Wires the enforcer. Nothing has happened yet when it answers. */
export function assemble(on: Foundations): {
  readonly enforcer: Enforcer;
  readonly alerts: Alerts;
} {
  const { kernel, store, clock, bootId, step, mounts } = on;
  const alerts = new Alerts(on.tell);
  const trust: TrustSlot = { current: on.trust };
  const admission = admissionOf(on, trust, () => toOffer(on.kernelRelease, enforcer.programs));
  const sources = new Sources(admission, on.sources);
  const glass = new BreakGlass({ ...on, admission, alerts });
  const generations = new Generations({
    ...{ kernel, store, clock, bootId, step },
    onCommit: glass.follow.bind(glass),
    wanted: () => sources.wanted(),
  });
  const lineage = new Lineage({ store, bootId, running: () => runningPrograms(kernel) });
  const pump = new EventPump({
    kernel,
    store,
    bootId,
    pid: process.pid,
    // An event whose path cannot be told on this host is told without it.
    mounts: () => {
      const found = mounts();
      return found.ok ? found.value : [];
    },
    rates: EXPLAIN_RATES,
    bootEpochMs: on.bootEpochMs,
    uptimeMs: on.uptimeMs,
    findExe,
  });
  const prover = new Prover({
    ...{ kernel, pump, generations, clock },
    uptimeMs: () => clock.nowMs() - on.bootEpochMs(),
    periodMs: on.proofPeriodMs,
    tell: on.tell,
    publish: on.publishProof,
  });
  const enforcer: Enforcer = new Enforcer({
    kernel,
    clock,
    generations,
    pump,
    prover,
    glass,
    alerts,
    bootId,
    trust,
    self: on.self,
    object: on.object,
    pinDir: on.pinDir,
    confirmWindowMs: on.confirmWindowMs,
    build: {
      admission,
      sources,
      generations,
      resolver: {
        kernel,
        mounts,
        scanEntriesMax: on.scanEntriesMax,
        hasGroups: hasUnifiedGroups,
        earlier: (path, now) => lineage.earlier(path, now),
      },
      alerts,
      canaryBase: on.canaryDir,
      watch: new MountWatch(mounts),
      bootId,
    },
  });
  return { enforcer, alerts };
}

function admissionOf(on: Foundations, slot: TrustSlot, host: () => HostOffer): AdmissionOptions {
  const { store, verifier, clock, repository, channel, labels, version, step } = on;
  return {
    ...{ store, verifier, clock, repository, channel, labels, version, step, host },
    // Asked at every use: the policy in force may change while the process runs.
    get trust() {
      return slot.current;
    },
  };
}
