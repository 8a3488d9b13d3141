// `warder doctor`: what this host can enforce, and why not. Facts come from the privileged program; where an
// enforcer runs, its word on each program is joined.
//
// SPDX-License-Identifier: Apache-2.0

import { type Diagnosis, diagnose, type HookDiagnosis } from '../../core/enforcer/doctor.ts';
import { hostFailure } from '../../core/enforcer/host.ts';
import type { HostFacts } from '../../core/enforcer/kernel.ts';
import type { Result } from '../../core/result.ts';
import type { EnforcerPort } from '../../ports.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { fields } from '../text-blocks.ts';

/** Diagnoses the host that it runs on. */
export async function doctor(facts: Result<HostFacts>, enforcer: EnforcerPort): Promise<Outcome> {
  if (!facts.ok) return failed('Diagnosis', [facts.error]);
  const running = await enforcer.status();
  const found = diagnose(facts.value, running.ok ? running.value : null);
  const document = { diagnosis: found as unknown as Json, enforcer: running.ok };
  const text = diagnosisText(found, facts.value, running.ok);
  const refused = hostFailure(found.host);
  return refused === null
    ? done('Diagnosis', document, text)
    : failed('Diagnosis', [refused], document, text);
}

function diagnosisText(found: Diagnosis, facts: HostFacts, isRunning: boolean): string {
  const can = found.operations.filter((it) => it.enforceable).map((it) => it.operation);
  const cannot = found.operations.filter((it) => it.missing !== '');
  return [
    found.able ? 'this host can enforce' : 'this host can NOT enforce',
    fields([
      ['kernel', found.host.kernel],
      ['modules', facts.lsm.join(', ') || 'unreadable'],
      ['lockdown', facts.lockdown],
      ['preemption', facts.preemption],
      ['can deny', can.join(', ') || 'nothing, as long as something is missing'],
      ...cannot.map((it) => ['can not', `${it.operation}: without ${it.missing}`] as const),
      ...found.host.missing.map((it) => ['missing', `${it.what}: ${it.detail}`] as const),
      ...found.concerns.flatMap((it) => [
        ['concern', `${it.what}: ${it.detail}`] as const,
        ['do', it.hint] as const,
      ]),
    ]),
    isRunning
      ? 'hooks, as the running enforcer has them'
      : 'hooks, as the kernel describes them (no enforcer answers; nothing was loaded)',
    fields(found.hooks.map((it) => [it.hook, hookLine(it)])),
  ].join('\n');
}

function hookLine({ state, operations, detail }: HookDiagnosis): string {
  return `${state.padEnd(15)}  ${operations.join(', ')}${detail === '' ? '' : ` (${detail})`}`;
}
