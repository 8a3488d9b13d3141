// What the kernel reports, from the layouts of bpf/include/abi.h to plain records. Bytes from the ring
// are the kernel's, but a record of another size is another ABI: null, never a guess.
//
// SPDX-License-Identifier: Apache-2.0

import type { KernelDecision } from '../core/enforcer/explain.ts';
import type { Identity } from '../core/image/resolution.ts';
import { OPERATIONS } from '../core/policy/document.ts';
import { Unpacker } from './packer.ts';

const EVENT_BYTES = 1192;
const COUNTERS_BYTES = 72;
const PATH_BYTES = 1024;
const COMM_BYTES = 16;
const PATH_CUT = 1;

// By number; 0 is unset in all of them.
const ACTIONS = [null, 'allow', 'audit', 'deny', 'let'] as const;
const REASONS = [null, 'rule', 'refer', 'incomplete', 'self'] as const;
const HOOKS = [
  null,
  'file_open',
  'mmap_file',
  'file_mprotect',
  'file_ioctl',
  'file_ioctl_compat',
  'file_truncate',
  'bprm_check_security',
  'inode_create',
  'inode_link',
  'inode_unlink',
  'inode_symlink',
  'inode_mkdir',
  'inode_rmdir',
  'inode_mknod',
  'inode_rename',
  'inode_setattr',
  'inode_setxattr',
  'inode_removexattr',
  'inode_set_acl',
  'inode_remove_acl',
  'inode_file_setattr',
  'task_prctl',
  'inode_getattr',
  'sb_mount',
  'move_mount',
  'sb_pivotroot',
  'file_permission',
  'quota_on',
] as const;

/** Reads one record of the ring; null when it is not a `struct wd_event`. */
export function unpackEvent(bytes: Uint8Array): KernelDecision | null {
  if (bytes.length !== EVENT_BYTES) return null;
  const from = new Unpacker(bytes);
  const head = {
    sequence: from.u64(),
    generation: Number(from.u64()),
    boottimeNs: from.u64(),
    startBoottimeNs: from.u64(),
    cgroupId: from.u64(),
    object: unpackIdentity(from),
    exe: unpackIdentity(from),
    cpu: from.u32(),
    rule: from.u32(),
    hook: HOOKS[from.u16()] ?? null,
    operation: OPERATIONS[from.u16() - 1] ?? null,
    action: ACTIONS[from.u8()] ?? null,
    reason: REASONS[from.u8()] ?? null,
  };
  const pathLength = from.u16();
  const tail = {
    ret: from.i32(),
    pid: from.u32(),
    tgid: from.u32(),
    ppid: from.u32(),
    uid: from.u32(),
    pathCut: (from.u32() & PATH_CUT) !== 0,
  };
  const stacks = { kernel: from.u64(), user: from.u64() };
  const token = from.u64();
  const comm = textUntilZero(from.raw(COMM_BYTES));
  const path = from.raw(PATH_BYTES).subarray(0, Math.min(pathLength, PATH_BYTES));
  return { ...head, ...tail, stacks, token, comm, names: toNames(path) };
}

/** What decides whether an event is explained at all. */
export interface EventGlimpse {
  readonly generation: number;
  readonly boottimeNs: bigint;
  readonly rule: number;
  readonly action: KernelDecision['action'];
  readonly reason: KernelDecision['reason'];
  readonly ppid: number;
}

// Offsets in struct wd_event; test/native compares them with the compiler's.
const AT = { generation: 8, boottime: 16, rule: 92, action: 100, reason: 101, ppid: 116 } as const;

/** Reads these few fields only: in a flood nothing else of an event is looked at. */
export function glimpseEvent(bytes: Uint8Array): EventGlimpse | null {
  if (bytes.length !== EVENT_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    generation: Number(view.getBigUint64(AT.generation, true)),
    boottimeNs: view.getBigUint64(AT.boottime, true),
    rule: view.getUint32(AT.rule, true),
    action: ACTIONS[view.getUint8(AT.action)] ?? null,
    reason: REASONS[view.getUint8(AT.reason)] ?? null,
    ppid: view.getUint32(AT.ppid, true),
  };
}

/** `struct wd_counters` of one CPU. */
export interface KernelCounters {
  readonly sequence: bigint;
  readonly emitted: bigint;
  readonly dropped: bigint;
  readonly denied: bigint;
  readonly audited: bigint;
  readonly incomplete: bigint;
  readonly decisions: bigint;
  readonly retries: bigint;
  readonly let: bigint;
}

/** Reads the counters of one CPU; null when the size is another. */
export function unpackCounters(bytes: Uint8Array): KernelCounters | null {
  if (bytes.length !== COUNTERS_BYTES) return null;
  const from = new Unpacker(bytes);
  return {
    sequence: from.u64(),
    emitted: from.u64(),
    dropped: from.u64(),
    denied: from.u64(),
    audited: from.u64(),
    incomplete: from.u64(),
    decisions: from.u64(),
    retries: from.u64(),
    let: from.u64(),
  };
}

function unpackIdentity(from: Unpacker): Identity {
  return { ino: from.u64(), sub: from.u64(), dev: from.u32(), gen: from.u32() };
}

function textUntilZero(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

// Every name ends with a zero byte; what follows the last zero is a name that was cut.
function toNames(path: Uint8Array): string[] {
  const names = Buffer.from(path).toString('utf8').split('\0');
  if (names.at(-1) === '') names.pop();
  return names;
}
