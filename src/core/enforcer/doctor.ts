// What this host can enforce, hook by hook and operation by operation, and why not. From facts that need
// no privilege to change anything: nothing is loaded. Whether the verifier takes a program is known only
// where an enforcer runs; its word is joined where there is one.
//
// SPDX-License-Identifier: Apache-2.0

import type { EnforcerStatus, HostReport } from '../enforcement.ts';
import { OPERATIONS, type Operation } from '../policy/document.ts';
import { brokenOperations } from './hooks.ts';
import { judgeHost } from './host.ts';
import type { HostFacts, KernelProgram } from './kernel.ts';

/** One hook that some program is written for. */
export interface HookDiagnosis {
  readonly hook: string;
  /** `fits`: a program is written for this prototype. */
  readonly state:
    | 'fits'
    | 'absent'
    | 'other-prototype'
    | 'attached'
    | 'idle'
    | 'rejected'
    | 'detached';
  readonly program: string | null;
  /** Operations that cannot be enforced without it. */
  readonly operations: readonly Operation[];
  /** Why not, or what it means. */
  readonly detail: string;
}

/** Whether one operation of the policy language can be denied here. */
export interface OperationDiagnosis {
  readonly operation: Operation;
  readonly enforceable: boolean;
  /** Hooks without which it is not; empty when it is. */
  readonly missing: string;
}

/** What may weaken enforcement on this host without keeping it from starting. */
export interface Concern {
  readonly what: 'lockdown' | 'preemption';
  readonly detail: string;
  readonly hint: string;
}

export interface Diagnosis {
  readonly able: boolean;
  readonly host: HostReport;
  readonly operations: readonly OperationDiagnosis[];
  readonly hooks: readonly HookDiagnosis[];
  readonly concerns: readonly Concern[];
}

/** Judges a host; `running` is what an enforcer on it says of its programs, or null. */
export function diagnose(facts: HostFacts, running: EnforcerStatus | null): Diagnosis {
  const host = judgeHost(facts);
  const hooks = facts.hooks.map((it) => diagnoseHook(it, running));
  const programs = facts.hooks.map((it, index) => toProgram(it, hooks[index]));
  const broken = brokenOperations(programs);
  const able = host.missing.length === 0;
  const operations = OPERATIONS.map((operation) => ({
    operation,
    enforceable: able && !broken.has(operation),
    missing: broken.get(operation) ?? '',
  }));
  return {
    able,
    host,
    operations,
    hooks,
    concerns: findConcerns(facts),
  };
}

type HookFact = HostFacts['hooks'][number];

function diagnoseHook(fact: HookFact, running: EnforcerStatus | null): HookDiagnosis {
  const { hook, program, ops } = fact;
  const operations = OPERATIONS.filter((_, index) => (ops & (1 << (index + 1))) !== 0);
  const known = running?.hooks.find((it) => it.hook === hook && it.state !== 'absent');
  if (known !== undefined && known.state !== 'absent') {
    const { state, detail } = known;
    return { hook, state, program: known.program, operations, detail };
  }
  return { hook, program, operations, ...stateOf(fact) };
}

function stateOf({ program, nargs, onlyIfPresent }: HookFact) {
  if (program !== null) return { state: 'fits', detail: '' } as const;
  if (nargs !== null) {
    const detail = `this kernel's prototype has ${nargs} arguments; no program is written for that`;
    return { state: 'other-prototype', detail } as const;
  }
  const detail = onlyIfPresent
    ? 'not on this kernel, and neither is what it would judge'
    : 'this kernel does not describe bpf_lsm_ functions of this name';
  return { state: 'absent', detail } as const;
}

// What fits counts as attached until an enforcer says otherwise.
function toProgram(fact: HookFact, seen: HookDiagnosis | undefined): KernelProgram {
  const fits = seen !== undefined && ['fits', 'attached', 'idle'].includes(seen.state);
  const lost = seen?.state === 'rejected' || seen?.state === 'detached';
  return {
    program: fact.program ?? fact.hook,
    hook: fact.hook,
    hookId: 0,
    ops: fact.ops,
    onlyIfPresent: fact.onlyIfPresent,
    state: fits ? 'attached' : lost ? 'rejected' : fact.nargs === null ? 'absent' : 'rejected',
    detail: '',
  };
}

function findConcerns({ release, lockdown, preemption }: HostFacts): readonly Concern[] {
  const concerns: Concern[] = [];
  if (lockdown === 'confidentiality') {
    concerns.push({
      what: 'lockdown',
      detail: 'lockdown=confidentiality keeps BPF programs from reading kernel memory',
      hint: 'boot with lockdown=integrity, or without lockdown=',
    });
  }
  if (preemption === 'full' && isOlderThan62(release)) {
    concerns.push({
      what: 'preemption',
      detail:
        'kernels before 6.2 skip a BPF program that is preempted and entered again: it allows',
      hint: 'boot with preempt=voluntary, or a kernel of series 6.2 or newer',
    });
  }
  return concerns;
}

function isOlderThan62(release: string): boolean {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(major) < 6 || (Number(major) === 6 && Number(minor) < 2);
}
