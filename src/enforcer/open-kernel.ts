// Opens the kernel side: programs and maps, new or adopted, and what is closed to other processes.
//
// SPDX-License-Identifier: Apache-2.0

import type { SelfProtection } from '../core/enforcement.ts';
import type { OpenReport } from '../core/enforcer/kernel.ts';
import { ok, type Result } from '../core/result.ts';
import type { Alerts } from './alerts.ts';
import type { KernelPort } from './kernel-port.ts';
import { applySelf, type SelfPlan } from './self-protection.ts';
import type { EnforcerStore } from './store/store.ts';

/** Without programs there is nothing that could keep anybody out. */
export const NOT_PROTECTED: SelfProtection = { state: 'off', detail: 'nothing is enforced' };

/** Opens, before anything is compiled: what is closed must not be closed to this process. */
export function openKernel(
  on: {
    readonly kernel: KernelPort;
    readonly object: string;
    readonly pinDir: string;
    readonly self: SelfPlan;
    readonly alerts: Alerts;
  },
  store: EnforcerStore,
  fresh: boolean,
): Result<{ readonly report: OpenReport; readonly self: SelfProtection }> {
  const opened = on.kernel.open({ object: on.object, pinDir: on.pinDir, fresh });
  if (!opened.ok) return opened;
  // New maps count from 0, and so does what becomes of their events.
  const tallied = opened.value.adopted ? ok(undefined) : store.history.beginTally();
  if (!tallied.ok) on.alerts.raise(tallied.error);
  return ok({ report: opened.value, self: applySelf(on.self, on.kernel) });
}
