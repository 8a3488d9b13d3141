// What the enforcer says of the kernel: facts, as data. Shared by the protocol, status and explain.
//
// SPDX-License-Identifier: Apache-2.0

import type { Signer } from './bundle.ts';
import type { Digest } from './digest.ts';
import type { GlassInUse } from './glass.ts';
import type { HeadStatus } from './head.ts';
import type { Mode, Operation } from './policy/document.ts';
import type { Failure, SourcePosition } from './result.ts';
import type { BundleVersion } from './version.ts';

/** A bundle, reduced to what people ask: which, from where, by whom. */
export interface BundleSummary {
  readonly digest: Digest;
  readonly version: BundleVersion;
  readonly repository: string;
  readonly channel: string;
  readonly commit: string;
  readonly sourceRepository: string;
  readonly signers: readonly Signer[];
  readonly expires: string;
}

/** What came of a change of the trust policy. */
export interface TrustReport {
  readonly version: number;
  readonly fingerprint: Digest;
  /** Active bundles that the new policy does not admit; not empty only when it was forced. */
  readonly distrusted: readonly Digest[];
}

/** What a trust policy would do here, without doing it. */
export interface TrustPreview {
  /** The policy in force is changed by signatures of its roots alone; a file is not asked. */
  readonly hasRoots: boolean;
  /** Self-protection closes the policy; what it names follows no other version of it. */
  readonly isProtected: boolean;
  /** The latest moment that the host has reason to believe is past. */
  readonly timeFloorMs: number;
  /** Active bundles that it does not admit, and why. */
  readonly distrusted: readonly { readonly digest: Digest; readonly why: string }[];
}

/** What the kernel holds now. `nothing` only before the first activation or after `disable`. */
export type Enforced =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'baseline'; readonly generation: number; readonly since: string }
  | {
      readonly kind: 'bundle';
      readonly generation: number;
      readonly since: string;
      readonly bundle: BundleSummary;
      /** False between activation and confirm. */
      readonly confirmed: boolean;
    };

/** One canary: a private object that policy denies was tried by an ordinary child. */
export interface CanaryResult {
  readonly hook: string;
  readonly operation: Operation;
  readonly outcome:
    | 'denied'
    | 'allowed'
    | 'no-answer'
    | 'no-event'
    | 'wrong-errno'
    | 'wrong-generation';
  readonly detail: string;
}

export interface CanaryReport {
  readonly healthy: boolean;
  readonly generation: number;
  readonly at: string;
  readonly results: readonly CanaryResult[];
}

/**
 * What the last attach proof found: the minimum of its parts. Proven only when every part answered and
 * none disagreed; one that gave no answer leaves it unknown, and unknown is not enforcing.
 */
export interface ProofReport {
  readonly state: 'proven' | 'disproven' | 'unknown';
  /** The generation that it is about; null when the kernel has none that is known here. */
  readonly generation: number | null;
  readonly at: string;
  /** Empty when proven. */
  readonly reasons: readonly Failure[];
}

/** The same, with its age when somebody asks. */
export interface ProofStatus extends ProofReport {
  readonly ageMs: number;
  readonly periodMs: number;
}

/** A program of the object and what became of it on this kernel. */
export interface HookState {
  readonly hook: string;
  readonly program: string;
  readonly state: 'attached' | 'rejected' | 'absent' | 'detached' | 'idle';
  readonly detail: string;
}

export interface EventTotals {
  readonly sequence: number;
  readonly emitted: number;
  readonly dropped: number;
  readonly denied: number;
  readonly audited: number;
  readonly incomplete: number;
  /** Denials that break-glass let through. */
  readonly let: number;
  /** Of those emitted: counted, but not explained one by one, because there were too many. */
  readonly suppressed: number;
}

/** What came of a request that a rule was about. `let`: denied without break-glass, so let through. */
export type EventAction = 'deny' | 'audit' | 'let';

/** Events of one rule that were counted and not explained. */
export interface SuppressedEvents {
  /** `policy/rule`; null when no rule decided, or it is not known any more. */
  readonly rule: string | null;
  readonly action: EventAction;
  readonly reason: DecisionEvent['reason'];
  readonly generation: number;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

/** Set by `warder rollback`: the digest rolled away from stays out until a higher version or resume. */
export interface Hold {
  readonly digest: Digest;
  readonly version: BundleVersion;
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** Whether Warder's own state is closed to every other process, root's included. */
export interface SelfProtection {
  readonly state: 'on' | 'off' | 'unavailable';
  /** Why it is not on; '' when it is. */
  readonly detail: string;
}

/** One named source of a host. */
export interface SourceStatus {
  readonly name: string;
  readonly repository: string;
  readonly channel: string;
  /** False: it is gone from the configuration, and keeps what it brought until root removes it. */
  readonly isConfigured: boolean;
  /** The generation with the bundle of this source; `baseline` while it has none. */
  readonly enforced: Enforced;
  readonly lastKnownGood: BundleSummary | null;
  readonly highestSeen: BundleVersion | null;
  readonly hold: Hold | null;
  readonly head: HeadStatus | null;
}

export interface EnforcerStatus {
  readonly enforced: Enforced;
  readonly lastKnownGood: BundleSummary | null;
  readonly highestSeen: BundleVersion | null;
  readonly hold: Hold | null;
  readonly canary: CanaryReport | null;
  /** Null before the first one, and after a change until the next one. */
  readonly proof: ProofStatus | null;
  readonly hooks: readonly HookState[];
  readonly totals: EventTotals;
  /** The groups behind `totals.suppressed`, the latest first; at most 20. */
  readonly suppressed: readonly SuppressedEvents[];
  readonly adopted: boolean;
  readonly selfProtection: SelfProtection;
  readonly trust: { readonly version: number; readonly fingerprint: Digest };
  /** The record of the decision that admitted what is enforced; null for the baseline. */
  readonly record: Digest | null;
  /** Null: the trust policy demands no head of the channel. */
  readonly head: HeadStatus | null;
  /** The named sources; everything above about bundles is of the source that was asked for. */
  readonly sources: readonly SourceStatus[];
  readonly enforcerVersion: string;
  readonly bootId: string;
  /** Who ended enforcement, or that this boot was told not to begin; null while it is on. */
  readonly disabled: { readonly by: string; readonly reason: string; readonly at: string } | null;
  /** Rules that a signed order relaxes now. */
  readonly breakGlass: GlassInUse | null;
  /** What an operator must know: a fallback that was taken, a clock that went back, a lost copy. */
  readonly alerts: readonly Failure[];
  /** Rules that run in audit because a hook is missing and their policy allows that. */
  readonly demoted: readonly string[];
  /** Policy paths that are not in force, or not whole, because this host cannot resolve them now. */
  readonly leftOut: readonly string[];
}

/** A decision that was not a plain allow, explained as far as the host can. */
export interface DecisionEvent {
  /** `<boot id, 8 digits>-<cpu>-<sequence>`: unique on a host. */
  readonly id: string;
  readonly at: string;
  readonly action: EventAction;
  readonly reason: 'rule' | 'refer' | 'incomplete' | 'self';
  readonly operation: Operation | null;
  readonly hook: string;
  readonly errno: 'EACCES' | null;
  readonly generation: number;
  /** `policy/rule`; null when no rule decided (incomplete, self). */
  readonly rule: string | null;
  readonly ruleReason: string | null;
  readonly mode: Mode | null;
  readonly origin: SourcePosition | null;
  readonly bundle: BundleSummary | null;
  readonly object: { readonly path: string; readonly pathCut: boolean; readonly identity: string };
  readonly process: {
    readonly pid: number;
    readonly tgid: number;
    readonly ppid: number;
    readonly uid: number;
    readonly comm: string;
    /** Best effort: from /proc after the fact; null when the process is gone. */
    readonly exe: string | null;
    readonly exeIdentity: string;
    readonly cgroupId: string;
    readonly startedAt: string;
  };
  /** The token that let it through; null unless `action` is `let`. */
  readonly breakGlass: string | null;
  /** Keys of the stacks that the kernel recorded; null where it could not. */
  readonly stacks: { readonly kernel: string | null; readonly user: string | null };
}

/** What a host can and cannot enforce; `missing` is empty when it can. */
export interface HostReport {
  readonly kernel: string;
  readonly missing: readonly {
    readonly what: 'kernel-version' | 'btf' | 'lsm-order' | 'capability' | 'hook' | 'bpffs';
    readonly detail: string;
    readonly hint: string;
  }[];
}
