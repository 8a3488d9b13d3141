// What came of the attempts, held to the table.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../../../src/core/enforcement.ts';
import type { Attempt, Case } from '../cases/case.ts';
import { policyName } from './exempt.ts';
import type { Played } from './scripts.ts';
import type { Selected, Variant } from './selection.ts';

/** What the attempts of one variant gave: events are those of the same boot. */
export interface Record {
  readonly played: readonly Played[];
  readonly events: readonly DecisionEvent[];
}

/** What is wrong with how a case was played, in words; empty when it went as the table says. */
export function judgeCase(
  { it, attempts }: Selected,
  variant: Variant,
  { played, events }: Record,
): readonly string[] {
  return attempts.flatMap((attempt, index) => {
    const of = (mode: string) =>
      played.find(
        (one) =>
          one.id === it.id && one.variant === variant && one.mode === mode && one.index === index,
      );
    const control = of('control');
    if (control === undefined) return [`${describe(attempt)}: never played`];
    return [
      ...judgeOne(it, attempt, 'enforce', of('enforce'), control, events),
      ...judgeOne(it, attempt, 'audit', of('audit'), control, events),
      ...(eventsOf(control, events).length > 0
        ? [`${describe(attempt)}: an event in control`]
        : []),
    ];
  });
}

function judgeOne(
  it: Case,
  attempt: Attempt,
  mode: 'enforce' | 'audit',
  played: Played | undefined,
  control: Played,
  events: readonly DecisionEvent[],
): readonly string[] {
  if (played === undefined) return [`${describe(attempt)} (${mode}): never played`];
  const denied = attempt.expect === 'D';
  const outcome = denied && mode === 'enforce' ? 'EACCES' : control.outcome;
  const seen = eventsOf(played, events);
  const policy = policyName(mode, it.scoped === true);
  const rule = `${mode === 'enforce' ? 'deny' : 'audit'} ${policy}/case-${it.id}`;
  const times = mode === 'audit' ? (attempt.audits ?? 1) : 1;
  const wanted = Array.from({ length: denied ? times : 0 }, () => rule);
  const got = seen.map((event) => `${event.action} ${event.rule}`);
  const problems: string[] = [];
  if (played.outcome !== outcome) {
    problems.push(`${describe(attempt)} (${mode}): ${played.outcome}, expected ${outcome}`);
  }
  // A control that fails by itself shows nothing about a denial.
  if (denied && mode === 'enforce' && control.outcome === 'EACCES') {
    problems.push(`${describe(attempt)} (control): EACCES without any rule`);
  }
  // Of an attempt that goes on trying, only the kind of event is known.
  const told = attempt.many === true ? [...new Set(got)] : got;
  if (told.join() !== wanted.join()) {
    const hooks = seen.map((event) => event.hook).join(', ');
    problems.push(
      `${describe(attempt)} (${mode}): events [${got.join(', ')}] at ${hooks || 'no hook'}, ` +
        `expected [${wanted.join(', ')}]`,
    );
  }
  return problems;
}

/** Events of the process that made the attempt, or of its child (exec tries in one). */
function eventsOf(played: Played, events: readonly DecisionEvent[]): readonly DecisionEvent[] {
  return events.filter((it) => it.process.tgid === played.pid || it.process.ppid === played.pid);
}

/** How many events of each kind the table expects of a variant; of attempts that go on trying, those seen. */
export function expectedTotals(
  selected: readonly Selected[],
  variant: Variant,
  { played, events }: Record,
): { readonly denied: number; readonly audited: number } {
  const sum = { denied: 0, audited: 0 };
  for (const { it, attempts, variants } of selected) {
    if (!variants.includes(variant)) continue;
    for (const [index, { expect, audits, many }] of attempts.entries()) {
      const told = (mode: string) =>
        played
          .filter((one) => one.id === it.id && one.variant === variant && one.index === index)
          .filter((one) => one.mode === mode)
          .reduce((count, one) => count + eventsOf(one, events).length, 0);
      if (expect !== 'D') continue;
      sum.denied += many === true ? told('enforce') : 1;
      sum.audited += many === true ? told('audit') : (audits ?? 1);
    }
  }
  return sum;
}

function describe(attempt: Attempt): string {
  return `${attempt.run.join(' ').slice(0, 80)}${attempt.as === undefined ? '' : ` as ${attempt.as}`}`;
}
