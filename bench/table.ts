// SPDX-License-Identifier: Apache-2.0
// Shows comparisons beside their targets. A miss is shown as a miss.

import type { Comparison, Delta } from './compare.ts';

/** Instructions that attached programs may add to a call; to a whole program, in hundredths of it. */
const TARGETS: Readonly<Record<string, number | `${number} %`>> = {
  'open+close': 300,
  stat: 0,
  getppid: 0,
  read: 0,
  write: 0,
  'create+unlink': 1200,
  'rename pair': 2000,
  'fork+exec': 3000,
  tar: '1 %',
  find: '1 %',
  'git status': '1 %',
};

/** What an operation that no program sees may seem to cost: the control's own spread is of this size. */
const NOISE = 5;

const COLUMNS = [
  'operation',
  'base',
  'added',
  'range',
  'share',
  'AppArmor',
  'control',
  'target',
  '',
] as const;

/** Renders one run as lines of text. */
export function renderTable(
  objects: number,
  loading: { readonly programs: number; readonly fillMs: number; readonly commitMs: number },
  comparisons: readonly Comparison[],
): string {
  const rows = [COLUMNS, ...comparisons.map(rowOf)];
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const lines = rows.map((row) =>
    row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    ),
  );
  const head = `${objects} objects, ${loading.programs} programs attached; filled in ${loading.fillMs.toFixed(0)} ms, committed in ${loading.commitMs.toFixed(1)} ms of guest time`;
  return ['', head, ...lines.map((cells) => cells.join('  ').trimEnd())].join('\n');
}

function rowOf(comparison: Comparison): readonly string[] {
  const { workload, base, added, apparmor, control } = comparison;
  const target = TARGETS[workload];
  return [
    workload,
    base.toFixed(0),
    signed(added.mean),
    span(added),
    `${((added.mean * 100) / base).toFixed(2)} %`,
    apparmor === null ? '-' : signed(apparmor.mean),
    span(control),
    target === undefined ? '' : String(target),
    verdictOf(comparison, target),
  ];
}

function verdictOf(
  { base, added, inconclusive }: Comparison,
  target: number | string | undefined,
): string {
  if (inconclusive) return 'inconclusive';
  if (target === undefined) return '';
  const most =
    typeof target === 'number' ? target + NOISE : (base * Number.parseFloat(target)) / 100;
  return added.mean <= most ? 'met' : 'missed';
}

const signed = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(0)}`;
const span = ({ low, high }: Delta): string => `${signed(low)}..${signed(high)}`;
