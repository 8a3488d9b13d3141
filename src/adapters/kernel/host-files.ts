// Facts about this host that are in files: how locked down the kernel is, and whether it preempts itself.
// What cannot be read is unknown, which is no concern of its own.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { version } from 'node:os';
import type { HostFacts } from '../../core/enforcer/kernel.ts';

const LOCKDOWN = '/sys/kernel/security/lockdown';
const PREEMPT = '/sys/kernel/debug/sched/preempt';
const COMMAND_LINE = '/proc/cmdline';

/** Reads both. */
export function readHostFiles(): Pick<HostFacts, 'lockdown' | 'preemption'> {
  return { lockdown: readLockdown(), preemption: readPreemption() };
}

// The active one is in brackets: `none [integrity] confidentiality`.
function readLockdown(): HostFacts['lockdown'] {
  const active = bracketed(read(LOCKDOWN), ['none', 'integrity', 'confidentiality']);
  return active ?? 'unknown';
}

function readPreemption(): HostFacts['preemption'] {
  const words = version().split(' ');
  if (words.includes('PREEMPT') || words.includes('PREEMPT_RT')) return 'full';
  if (!words.includes('PREEMPT_DYNAMIC')) return 'none';
  const active = bracketed(read(PREEMPT).replaceAll(/\((\w+)\)/g, '[$1]'), MODELS);
  const [, asked] = /(?:^|\s)preempt=(\w+)/.exec(read(COMMAND_LINE)) ?? [];
  return active ?? MODELS.find((it) => it === asked) ?? 'unknown';
}

const MODELS = ['none', 'voluntary', 'full'] as const;

function bracketed<T extends string>(text: string, words: readonly T[]): T | null {
  const [, active] = /\[(\w+)\]/.exec(text) ?? [];
  return words.find((it) => it === active) ?? null;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) return '';
    throw cause;
  }
}
