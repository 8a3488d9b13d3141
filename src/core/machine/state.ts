// The vocabulary of the agent's state machine: what it knows, what happens to it, what it asks for.
// Data only. The rules are in step.ts.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission, BundleBytes, Candidate } from '../bundle.ts';
import type { Note } from '../decision/note.ts';
import type { Digest } from '../digest.ts';
import type { BundleSummary, CanaryReport, Enforced, EnforcerStatus } from '../enforcement.ts';
import type { ChannelHead, HeadStatus } from '../head.ts';
import type { Reference } from '../reference.ts';
import type { Failure } from '../result.ts';
import type { Schedule } from '../schedule.ts';
import type { AgentStatus, Outcome } from '../status.ts';
import type { AttestationFact, Evidence } from '../verify/evidence.ts';
import type { TrustPolicy } from '../verify/trust.ts';
import type { CheckRecord, Floor, VerifyContext, VerifyVerdict } from '../verify/verdict.ts';
import type { Generation, QuarantineEntry, StoreContents } from './contents.ts';
import type { ProbeReport } from './health.ts';

/** What does not change while the agent runs. */
export interface MachineSetup {
  readonly reference: Reference;
  /** Where the repository is kept, where that is in several places. */
  readonly places?: readonly string[];
  /** Canonical repository that bundles must be signed for; the reference may be a mirror or a layout. */
  readonly repository: string;
  readonly channel: string;
  readonly agentVersion: string;
  /** `uname -r` of this host. */
  readonly kernelRelease: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly trust: TrustPolicy;
  readonly judge: (evidence: Evidence, trust: TrustPolicy, context: VerifyContext) => VerifyVerdict;
  readonly schedule: Schedule;
  /** Names of the configured host probes: each must answer before a generation is confirmed. */
  readonly probes: readonly string[];
}

/** An admitted bundle on its way into the kernel. */
export interface Admitted {
  readonly bundle: BundleBytes;
  readonly admission: Admission;
  readonly checks: readonly CheckRecord[];
}

/** Where the machine is; every phase but `idle` and `stopped` waits for the answer to one command. */
export type Phase =
  | { readonly at: 'starting' }
  | { readonly at: 'asking'; readonly purpose: 'start' | 'poll'; readonly after: Attempted | null }
  | { readonly at: 'resolving' }
  | { readonly at: 'finding-head' }
  | { readonly at: 'reading-head'; readonly statements: readonly Uint8Array[] }
  | { readonly at: 'telling-head'; readonly head: ChannelHead }
  | { readonly at: 'fetching'; readonly candidate: Candidate }
  | { readonly at: 'verifying'; readonly bundle: BundleBytes }
  | { readonly at: 'raising'; readonly admitted: Admitted }
  | { readonly at: 'staging'; readonly admitted: Admitted }
  | { readonly at: 'activating'; readonly digest: Digest }
  | { readonly at: 'probing'; readonly digest: Digest }
  | { readonly at: 'confirming'; readonly digest: Digest }
  | { readonly at: 'recording'; readonly bundle: BundleSummary; readonly then: AfterRecord }
  | { readonly at: 'restoring'; readonly condemned: Condemned }
  | { readonly at: 'quarantining'; readonly outcome: Outcome }
  | { readonly at: 'idle' }
  | { readonly at: 'stopped'; readonly failure: Failure };

/** An activation that failed or may have happened; the enforcer is asked which. */
export interface Attempted {
  readonly digest: Digest;
  readonly failure: Failure;
}

/** A pending generation whose health failed: it must be restored and may not be confirmed. */
export interface Condemned {
  readonly bundle: BundleSummary;
  readonly failure: Failure;
}

/** A record is the end of an activation, or a correction of memory before the work goes on. */
export type AfterRecord = 'report-activated' | 'start' | 'poll';

export interface State {
  readonly phase: Phase;
  /** As the disk last answered; null until it has. */
  readonly store: StoreContents | null;
  /** As the enforcer last answered; null until it has. */
  readonly enforcer: EnforcerStatus | null;
  readonly condemned: Condemned | null;
  /** The head that this poll goes by; null where none is demanded, and before it was accepted. */
  readonly head: ChannelHead | null;
  /** Digests that some place served in a form that was refused, and others may serve well. */
  readonly refusedAt: readonly { readonly digest: Digest; readonly places: readonly string[] }[];
  /** Polls that failed in a row: the exponent of the backoff. */
  readonly failuresInRow: number;
  /** Effects that failed within this poll; past the bound the machine waits. */
  readonly triesInPoll: number;
  readonly pollStartedMs: number;
  readonly status: AgentStatus;
}

/** Time and chance arrive with every event: the machine has neither. */
export interface Stamp {
  readonly atMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export type Event = Stamp & EventBody;

export type EventBody =
  | { readonly kind: 'loaded'; readonly contents: StoreContents }
  | { readonly kind: 'asked'; readonly status: EnforcerStatus }
  | { readonly kind: 'woken' }
  | { readonly kind: 'discovered'; readonly candidate: Candidate }
  | { readonly kind: 'head-found'; readonly statements: readonly Uint8Array[] }
  | { readonly kind: 'head-read'; readonly facts: readonly AttestationFact[] }
  | { readonly kind: 'head-told'; readonly status: HeadStatus }
  | { readonly kind: 'fetched'; readonly bundle: BundleBytes }
  | { readonly kind: 'collected'; readonly evidence: Evidence }
  | { readonly kind: 'floor-raised'; readonly floor: Floor }
  | { readonly kind: 'staged'; readonly generation: Generation }
  | { readonly kind: 'activated'; readonly enforced: Enforced }
  | {
      readonly kind: 'probed';
      readonly canary: CanaryReport;
      readonly probes: readonly ProbeReport[];
    }
  | { readonly kind: 'confirmed'; readonly enforced: Enforced }
  | { readonly kind: 'recorded' }
  | { readonly kind: 'restored'; readonly enforced: Enforced }
  | { readonly kind: 'quarantined' }
  | { readonly kind: 'failed'; readonly of: Command['kind']; readonly failure: Failure };

export type Command =
  | { readonly kind: 'load' }
  | { readonly kind: 'ask'; readonly timeoutMs: number }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'resolve'; readonly reference: Reference; readonly timeoutMs: number }
  | {
      readonly kind: 'find-head';
      readonly reference: Reference;
      readonly channel: string;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: 'read-head';
      readonly statements: readonly Uint8Array[];
      readonly timeoutMs: number;
    }
  | {
      readonly kind: 'tell-head';
      readonly statements: readonly Uint8Array[];
      readonly timeoutMs: number;
    }
  | { readonly kind: 'fetch'; readonly candidate: Candidate; readonly timeoutMs: number }
  | { readonly kind: 'collect'; readonly bundle: BundleBytes; readonly timeoutMs: number }
  | { readonly kind: 'raise-floor'; readonly floor: Floor }
  | { readonly kind: 'stage'; readonly admitted: Admitted }
  | { readonly kind: 'activate'; readonly bundle: BundleBytes; readonly timeoutMs: number }
  | { readonly kind: 'probe'; readonly timeoutMs: number }
  | { readonly kind: 'confirm'; readonly digest: Digest; readonly timeoutMs: number }
  | { readonly kind: 'record'; readonly bundle: BundleSummary; readonly at: string }
  | { readonly kind: 'restore'; readonly reason: string; readonly timeoutMs: number }
  | { readonly kind: 'quarantine'; readonly entry: QuarantineEntry }
  | { readonly kind: 'prune' }
  | { readonly kind: 'note'; readonly note: Note }
  | {
      readonly kind: 'report';
      readonly status: AgentStatus;
      /** Null when only the status changed. */
      readonly outcome: Outcome | null;
    };

/** The next state and what is asked for, in order. Only the last command may be one that answers. */
export interface Step {
  readonly state: State;
  readonly commands: readonly Command[];
}
