// Facts about processes and this boot from /proc. Best effort: a process may be gone, and its number
// may belong to another one by now, so an answer counts only when the start time agrees.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { uptime } from 'node:os';

const TICKS_PER_SECOND = 100n; // USER_HZ, the same on every architecture of Linux that matters here
const GROUPS = '/sys/fs/cgroup';
const START_TIME_FIELD = 22; // proc(5), /proc/PID/stat, counted from 1

/** The program of a process that started at this boot time; null when it is gone or another. */
export function findExe(tgid: number, startBoottimeNs: bigint): string | null {
  try {
    const exe = readlinkSync(`/proc/${tgid}/exe`);
    const stat = readFileSync(`/proc/${tgid}/stat`, 'latin1');
    // The name in parentheses may hold anything, parentheses included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = BigInt(fields[START_TIME_FIELD - 3] ?? '-1');
    const told = (startBoottimeNs * TICKS_PER_SECOND) / 1_000_000_000n;
    return ticks - told <= 1n && told - ticks <= 1n ? exe : null;
  } catch (cause) {
    if (isSystemError(cause)) return null;
    throw cause;
  }
}

/** Supplementary groups of a process; none when it is gone. */
export function groupsOf(pid: number): readonly number[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const line = /^Groups:\s*(.*)$/m.exec(status)?.[1] ?? '';
    return line.split(' ').filter(Boolean).map(Number);
  } catch (cause) {
    if (isSystemError(cause)) return [];
    throw cause;
  }
}

/** Tells whether this host uses the unified hierarchy of control groups. */
export function hasUnifiedGroups(): boolean {
  try {
    return /^0::\//m.test(readFileSync('/proc/self/cgroup', 'latin1'));
  } catch (cause) {
    if (isSystemError(cause)) return false;
    throw cause;
  }
}

/** A control group of the unified hierarchy by its path: its id, and how deep it is; null: none. */
export function findGroup(path: string): { readonly id: bigint; readonly level: number } | null {
  try {
    // Of this file system alone the number of an inode is the id that the kernel compares.
    const { ino } = statSync(`${GROUPS}${path}`, { bigint: true });
    return { id: ino, level: path.split('/').length - 1 };
  } catch (cause) {
    if (isSystemError(cause)) return null;
    throw cause;
  }
}

/** Identifies this boot. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** Milliseconds since boot, time asleep included (CLOCK_BOOTTIME). */
export function readUptimeMs(): number {
  // Unlike /proc/uptime it answers under a rule that denies reading /proc.
  return uptime() * 1000;
}

function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause;
}
