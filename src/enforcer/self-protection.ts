// Whether this process may be recognised by the kernel as the enforcer, and what is closed to others
// then. Recognition is by the launcher that started it; started any other way, by a shell or from a work
// tree, there is nothing that the kernel could tell it from an attacker by, and protection stays off.
//
// SPDX-License-Identifier: Apache-2.0

import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SelfProtection } from '../core/enforcement.ts';
import { SELF_RULES, type SelfPaths } from '../core/policy/baseline.ts';
import type { KernelPort } from './kernel-port.ts';

/** What the configuration and the start of this process allow. */
export type SelfPlan =
  | { readonly kind: 'off' | 'unavailable'; readonly detail: string }
  | {
      readonly kind: 'on';
      readonly launcher: string;
      readonly runtime: string;
      readonly paths: SelfPaths;
    };

/** What this host says of the process. */
export interface SelfFacts {
  readonly configured: 'on' | 'off';
  /** What the launcher left in the environment. */
  readonly launcher: string | undefined;
  readonly runtime: string;
  readonly program: string;
  readonly configPath: string;
  readonly trustPath: string;
  readonly pinDir: string;
  readonly stateDir: string;
  /** The program of the first process. */
  readonly init: string;
  /** /proc/self/cgroup. */
  readonly cgroup: string;
}

const CGROUP_ROOT = '/sys/fs/cgroup';

/** Decides before anything is loaded. */
export function planSelf(facts: SelfFacts): SelfPlan {
  const { launcher, runtime, program, configPath, trustPath, pinDir, stateDir } = facts;
  if (facts.configured === 'off') return { kind: 'off', detail: 'the configuration says so' };
  if (launcher === undefined) {
    return { kind: 'unavailable', detail: 'the enforcer was not started by its launcher' };
  }
  const path = /^0::(\/.+)$/m.exec(facts.cgroup)?.[1];
  return {
    kind: 'on',
    launcher,
    runtime,
    paths: {
      programs: [
        { kind: 'tree', path: pinDir },
        { kind: 'tree', path: dirname(program) },
        { kind: 'path', path: launcher },
        { kind: 'path', path: runtime },
        { kind: 'path', path: configPath },
        { kind: 'path', path: trustPath },
      ],
      store: stateDir,
      unit: path === undefined ? null : { cgroup: `${CGROUP_ROOT}${path}`, init: facts.init },
    },
  };
}

/** The path of a program, or the path itself when it cannot be followed. */
export function realProgram(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) return path;
    throw cause;
  }
}

/** Tells the kernel; what it refuses is a state, not a failure: enforcement does not wait for it. */
export function applySelf(plan: SelfPlan, kernel: KernelPort): SelfProtection {
  if (plan.kind !== 'on') {
    // An earlier process may have switched it on, and this one was let in.
    const off = kernel.unprotect();
    return { state: plan.kind, detail: off.ok ? plan.detail : off.error.message };
  }
  const on = kernel.protect({ launcher: plan.launcher, runtime: plan.runtime });
  if (on.ok) return { state: 'on', detail: '' };
  return { state: 'unavailable', detail: [on.error.message, ...on.error.causes].join(': ') };
}

/** Was a generation compiled for this state of protection? */
export function fitsSelf(rules: readonly { readonly id: string }[], self: SelfPaths | null) {
  return rules.some((it) => it.id === SELF_RULES.store) === (self !== null);
}
