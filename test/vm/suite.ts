// From the case table to what a guest needs: a layout script, two policies, one script that makes all
// attempts, and the judgement of what came of each.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../../src/core/enforcement.ts';
import { OPERATIONS } from '../../src/core/policy/document.ts';
import { type Attempt, CASES, type Case } from './cases.ts';

export const MODES = ['enforce', 'audit', 'control'] as const;
export type PlayMode = (typeof MODES)[number];

/** The program that every rule of the suite exempts. */
export const EXEMPT_PROGRAM = '/usr/local/bin/exempt-op';

/** One attempt as it was made. */
export interface Played {
  readonly id: string;
  readonly mode: PlayMode;
  readonly index: number;
  readonly pid: number;
  /** `OK` or the name of an errno. */
  readonly outcome: string;
}

function directory(it: Case, mode: PlayMode): string {
  return `${it.tmpfs ? '/run/cases' : '/disk/cases'}/${mode}/${it.id}`;
}

const fill = (text: string, dir: string) => text.replaceAll('$D', dir);

/** Shell lines that lay out every case three times, before anything is enforced. */
export function layoutScript(): string {
  const lines = CASES.flatMap((it) =>
    MODES.map((mode) => {
      const dir = directory(it, mode);
      return `mkdir -p ${dir}; chmod 755 ${dir}\n( ${fill(it.setup, dir)} ) || echo "layout ${it.id} failed"`;
    }),
  );
  return [`cp /usr/local/bin/op ${EXEMPT_PROGRAM}`, ...lines, 'sync'].join('\n');
}

/** The policy of one mode: a rule for each case. */
export function policyOf(mode: 'enforce' | 'audit'): string {
  const rules = CASES.map((it) => ruleOf(it, directory(it, mode)));
  return [
    'apiVersion: warder.dev/v1alpha1',
    'kind: FilePolicy',
    'metadata:',
    `  name: cases-${mode}`,
    'spec:',
    `  mode: ${mode}`,
    '  rules:',
    ...rules,
    '',
  ].join('\n');
}

function ruleOf(it: Case, dir: string): string {
  const operations = it.deny === 'all' ? OPERATIONS : it.deny;
  const objects = it.protect.map((object) =>
    object.path === undefined
      ? `        - tree: ${fill(object.tree ?? '', dir)}`
      : `        - path: ${fill(object.path, dir)}`,
  );
  return [
    `    - id: case-${it.id}`,
    `      reason: case ${it.id}`,
    '      protect:',
    ...objects,
    `      deny: [${operations.join(', ')}]`,
    '      except:',
    `        - exe: ${EXEMPT_PROGRAM}`,
    ...(it.exemptUid === undefined ? [] : [`        - uid: ${it.exemptUid}`]),
  ].join('\n');
}

/** Shell lines that make every attempt and print `ID|MODE|INDEX|PID OUTCOME`. */
export function attemptScript(): string {
  return CASES.flatMap((it) =>
    MODES.flatMap((mode) =>
      it.attempts.map((attempt, index) => attemptLine(it, mode, attempt, index)),
    ),
  ).join('\n');
}

function attemptLine(it: Case, mode: PlayMode, attempt: Attempt, index: number): string {
  const dir = directory(it, mode);
  const words = attempt.run.map((word) => `"${fill(word, dir)}"`).join(' ');
  const program = attempt.as === 'exempt' ? EXEMPT_PROGRAM : '/usr/local/bin/op';
  const as =
    attempt.as === 'alice' ? '/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups ' : '';
  const before = attempt.before === undefined ? '' : `${fill(attempt.before, dir)}\n`;
  return `${before}echo "${it.id}|${mode}|${index}|$(${as}${program} ${words} 2>&1)"`;
}

/** Reads what the attempt script printed. */
export function readPlayed(stdout: string): readonly Played[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', mode = '', index = '', rest = ''] = line.split('|');
      const match = /^(\d+) ([A-Z]\w*)$/.exec(rest);
      return {
        id,
        mode: mode as PlayMode,
        index: Number(index),
        // What is no outcome is shown as it stands, and no case expects it.
        pid: Number(match?.[1] ?? -1),
        outcome: match?.[2] ?? rest,
      };
    });
}

/** What is wrong with how a case was played, in words; empty when it went as the table says. */
export function judgeCase(
  it: Case,
  played: readonly Played[],
  events: readonly DecisionEvent[],
): readonly string[] {
  return it.attempts.flatMap((attempt, index) => {
    const of = (mode: PlayMode) =>
      played.find((one) => one.id === it.id && one.mode === mode && one.index === index);
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
  const rule = `${mode === 'enforce' ? 'deny' : 'audit'} cases-${mode}/case-${it.id}`;
  const times = mode === 'audit' ? (attempt.audits ?? 1) : 1;
  const wanted = Array.from({ length: denied ? times : 0 }, () => rule);
  const got = seen.map((event) => `${event.action} ${event.rule}`);
  const problems: string[] = [];
  if (played.outcome !== outcome) {
    problems.push(`${describe(attempt)} (${mode}): ${played.outcome}, expected ${outcome}`);
  }
  if (got.join() !== wanted.join()) {
    problems.push(
      `${describe(attempt)} (${mode}): events [${got.join(', ')}], expected [${wanted.join(', ')}]`,
    );
  }
  return problems;
}

/** Events of the process that made the attempt, or of its child (exec tries in one). */
export function eventsOf(
  played: Played,
  events: readonly DecisionEvent[],
): readonly DecisionEvent[] {
  return events.filter((it) => it.process.tgid === played.pid || it.process.ppid === played.pid);
}

/** How many attempts the table expects to be denied, and how many to be audited. */
export function expectedTotals(): { readonly denied: number; readonly audited: number } {
  const denied = CASES.flatMap((it) => it.attempts).filter((it) => it.expect === 'D');
  const audited = denied.reduce((sum, it) => sum + (it.audits ?? 1), 0);
  return { denied: denied.length, audited };
}

function describe(attempt: Attempt): string {
  return `${attempt.run.join(' ').slice(0, 80)}${attempt.as === undefined ? '' : ` as ${attempt.as}`}`;
}
