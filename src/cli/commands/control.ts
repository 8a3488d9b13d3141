// Commands that change what a host enforces: rollback, resume, disable. The enforcer decides who may;
// these only ask and say what came of it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Enforced } from '../../core/enforcement.ts';
import { failure, type Result } from '../../core/result.ts';
import type { EnforcerPort } from '../../ports.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { bundleLine } from '../text-blocks.ts';

/** Returns to the previous confirmed bundle and holds: the one rolled away from stays out. */
export async function rollback(
  enforcer: EnforcerPort,
  by: string,
  reason: string,
  source?: string,
): Promise<Outcome> {
  const note = 'held: that digest stays out until a higher version arrives or `warder resume`';
  return change('Rollback', await enforcer.rollback(by, reason, source), note);
}

/** Lifts the hold, or ends `disable`; the next poll may activate what was held. */
export async function resume(enforcer: EnforcerPort, by: string): Promise<Outcome> {
  return change('Resume', await enforcer.resume(by), 'not held: the next poll decides');
}

/** Takes what a source brought out of force that is not configured any more. Wants `--yes`. */
export async function removeSource(
  enforcer: EnforcerPort,
  by: string,
  name: string,
  yes: boolean,
): Promise<Outcome> {
  if (!yes) {
    const what = `what source ${name} brought would not be enforced any more`;
    const hints = ['add --yes when that is what you want'];
    return failed('SourceRemoval', [failure('cli/confirmation-needed', what, { hints })]);
  }
  const note = `source ${name} is removed; its version floor stays for when it comes back`;
  return change('SourceRemoval', await enforcer.removeSource(name, by), note);
}

/** Takes the pins away: enforcement ends until somebody resumes. Wants `--yes`, and an order. */
export async function disable(
  enforcer: EnforcerPort,
  by: string,
  reason: string,
  yes: boolean,
  order: Result<readonly Uint8Array[] | null>,
): Promise<Outcome> {
  if (!order.ok) return failed('Disable', [order.error]);
  if (!yes) {
    return failed('Disable', [
      failure('cli/confirmation-needed', 'disable ends enforcement on this host', {
        hints: [
          'add --yes when that is what you want',
          '`warder rollback` returns to the previous bundle and goes on enforcing',
        ],
      }),
    ]);
  }
  return change(
    'Disable',
    await enforcer.disable(by, reason, order.value),
    'enforcement ended; `warder resume` starts it again',
  );
}

function change(kind: string, answer: Result<Enforced>, note: string): Outcome {
  if (!answer.ok) return failed(kind, [answer.error]);
  const document = { enforced: answer.value as unknown as Json };
  return done(kind, document, `now enforcing: ${enforcedText(answer.value)}\n${note}`);
}

/** What is enforced, in one line, as every error repeats it. */
export function enforcedText(enforced: Enforced): string {
  switch (enforced.kind) {
    case 'nothing':
      return 'nothing';
    case 'baseline':
      return `the baseline, generation ${enforced.generation}, since ${enforced.since}`;
    case 'bundle':
      return (
        `${bundleLine(enforced.bundle)}, generation ${enforced.generation}, ` +
        `${enforced.confirmed ? 'confirmed' : 'not confirmed yet'}, since ${enforced.since}`
      );
  }
}
