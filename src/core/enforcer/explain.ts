// From what the kernel says of a decision to what a person asks: which rule, from which line, by whom,
// on which path. Pure: what had to be looked up is an argument.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleSummary, DecisionEvent, EventAction } from '../enforcement.ts';
import type { Identity } from '../image/resolution.ts';
import type { Operation } from '../policy/document.ts';
import { escapeAndCut } from '../text.ts';
import type { RuleLine } from './startup.ts';

/** A decision as the kernel reports it (`struct wd_event`); a number without a name is null. */
export interface KernelDecision {
  readonly sequence: bigint;
  readonly generation: number;
  readonly boottimeNs: bigint;
  readonly startBoottimeNs: bigint;
  readonly cgroupId: bigint;
  readonly object: Identity;
  readonly exe: Identity;
  readonly cpu: number;
  /** Index into the IR's rules (baseline included); meaningful for reasons `rule` and `refer`. */
  readonly rule: number;
  readonly hook: string | null;
  readonly operation: Operation | null;
  readonly action: 'allow' | EventAction | null;
  readonly reason: 'rule' | 'refer' | 'incomplete' | 'self' | null;
  /** 0 or a negative errno. */
  readonly ret: number;
  readonly pid: number;
  readonly tgid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly comm: string;
  /** Keys in the kernel's table of stacks; 0 is none. */
  readonly stacks: { readonly kernel: bigint; readonly user: bigint };
  /** Of the break-glass that let it through; 0 is none. */
  readonly token: bigint;
  /** Names from the object up to the filesystem's root, as text (invalid UTF-8 replaced). */
  readonly names: readonly string[];
  /** Upper directories are missing from `names`. */
  readonly pathCut: boolean;
}

/** What the host adds. */
export interface ExplainContext {
  readonly bootId: string;
  /** Which rings of the store's: the kernel's own count begins again with new ones. */
  readonly rings: number;
  /** Milliseconds since the epoch at which this kernel's boot time was 0. */
  readonly bootEpochMs: number;
  /** Rules of the generation by bit; null when the generation is not known any more. */
  readonly rules: readonly RuleLine[] | null;
  readonly bundle: BundleSummary | null;
  /** The object's path on this host; null when its filesystem is not mounted here. */
  readonly path: string | null;
  readonly exe: string | null;
}

const TEXT_MAX = 4096;

/** Explains one decision; null for a record of a plain allow. */
export function explainDecision(
  decision: KernelDecision,
  context: ExplainContext,
): DecisionEvent | null {
  const { action, reason } = decision;
  if (action === null || action === 'allow' || reason === null) return null;
  const rule =
    reason === 'rule' || reason === 'refer' ? (context.rules?.[decision.rule] ?? null) : null;
  return {
    id: eventId(context, decision),
    at: toIso(context.bootEpochMs, decision.boottimeNs),
    action,
    reason,
    operation: decision.operation,
    hook: decision.hook ?? 'unknown',
    errno: action === 'deny' ? 'EACCES' : null,
    generation: decision.generation,
    rule: rule?.id ?? null,
    ruleReason: rule?.reason ?? null,
    mode: rule?.mode ?? null,
    origin: rule?.origin ?? null,
    bundle: context.bundle,
    object: {
      path: escapeAndCut(context.path ?? pathInside(decision), TEXT_MAX),
      pathCut: decision.pathCut,
      identity: formatIdentity(decision.object),
    },
    process: {
      pid: decision.pid,
      tgid: decision.tgid,
      ppid: decision.ppid,
      uid: decision.uid,
      comm: escapeAndCut(decision.comm, TEXT_MAX),
      exe: context.exe === null ? null : escapeAndCut(context.exe, TEXT_MAX),
      exeIdentity: formatIdentity(decision.exe),
      cgroupId: String(decision.cgroupId),
      startedAt: toIso(context.bootEpochMs, decision.startBoottimeNs),
    },
    breakGlass: action === 'let' ? tokenId(decision.token) : null,
    stacks: { kernel: stackKey(decision.stacks.kernel), user: stackKey(decision.stacks.user) },
  };
}

/** The path inside its filesystem: the kernel tells names from the object upwards. */
export function pathInside({ names, pathCut }: KernelDecision): string {
  // The root's own name is "/" and says nothing.
  const parts = names.filter((it) => it !== '/' && it !== '').reverse();
  return `${pathCut ? '…' : ''}/${parts.join('/')}`;
}

/** Unique on a host: boot, rings, CPU, and the CPU's own count in these rings. */
function eventId(
  { bootId, rings }: Pick<ExplainContext, 'bootId' | 'rings'>,
  { cpu, sequence }: Pick<KernelDecision, 'cpu' | 'sequence'>,
): string {
  return `${bootId.slice(0, 8)}-${rings}-${cpu}-${sequence}`;
}

function formatIdentity({ dev, ino, gen, sub }: Identity): string {
  return `${dev}:${ino}:${gen}${sub === 0n ? '' : `:${sub}`}`;
}

function stackKey(key: bigint): string | null {
  return key === 0n ? null : tokenId(key);
}

/** The name of a break-glass token, from its number in the kernel. */
export function tokenId(token: bigint): string {
  return token.toString(16).padStart(16, '0');
}

/** A moment of boot time, in UTC. */
export function toIso(bootEpochMs: number, ns: bigint): string {
  return new Date(bootEpochMs + Number(ns / 1_000_000n)).toISOString();
}
