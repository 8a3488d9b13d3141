// What came of the attempts, held to the table.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../../../src/core/enforcement.ts';
import type { Attempt } from '../cases/case.ts';
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
      ...judgeOne(it.id, attempt, 'enforce', of('enforce'), control, events),
      ...judgeOne(it.id, attempt, 'audit', of('audit'), control, events),
      ...(eventsOf(control, events).length > 0
        ? [`${describe(attempt)}: an event in control`]
        : []),
    ];
  });
}

function judgeOne(
  id: string,
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
  const rule = `${mode === 'enforce' ? 'deny' : 'audit'} cases-${mode}/case-${id}`;
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

/** How many attempts of a variant the table expects to be denied, and how many to be audited. */
export function expectedTotals(
  selected: readonly Selected[],
  variants: readonly Variant[],
): { readonly denied: number; readonly audited: number } {
  const denied = selected.flatMap(({ attempts, variants: of }) =>
    variants
      .filter((one) => of.includes(one))
      .flatMap(() => attempts.filter(({ expect }) => expect === 'D')),
  );
  const audited = denied.reduce((sum, { audits }) => sum + (audits ?? 1), 0);
  return { denied: denied.length, audited };
}

function describe(attempt: Attempt): string {
  return `${attempt.run.join(' ').slice(0, 80)}${attempt.as === undefined ? '' : ` as ${attempt.as}`}`;
}
