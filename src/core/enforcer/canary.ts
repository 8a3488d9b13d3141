// What canaries try and what their answers mean. A private directory that the baseline denies
// everything in; an ordinary child tries one thing per hook family. Only an exact answer is a proof:
// the errno, one event of the committed generation, and the counter that went up.
//
// Not tried, because opening the object is denied before they could be reached: mmap_file,
// file_mprotect, file_ioctl, bprm_check_security. The attach proof covers those.
//
// SPDX-License-Identifier: Apache-2.0

import type { CanaryReport, CanaryResult } from '../enforcement.ts';
import type { Operation } from '../policy/document.ts';
import type { CanaryTry, KernelProgram } from './kernel.ts';

/** One try and the decision that it must lead to. */
export interface CanaryCase {
  readonly hook: string;
  readonly operation: Operation;
  readonly attempt: CanaryTry;
}

/** A deny event of the canary rule that this process's child caused. */
export interface CanarySighting {
  readonly hook: string | null;
  readonly operation: Operation | null;
  readonly generation: number;
}

/** What came of one run. */
export interface CanaryRun {
  readonly generation: number;
  readonly at: string;
  /** Null when no child could be started. */
  readonly errnos: readonly number[] | null;
  readonly sightings: readonly CanarySighting[];
  /** How far the kernel's own count of denials rose. */
  readonly deniedRise: number;
}

/** Names in a canary directory. They are made once, before the directory is protected. */
export const CANARY_OBJECTS = { file: 'file', directory: 'directory' } as const;

const EACCES = 13;
const ENOENT = 2;
const NO_ANSWER = -1;

/** The cases for a canary directory: one per hook family that is attached here. */
export function planCanaries(
  canaryDir: string,
  programs: readonly KernelProgram[],
): readonly CanaryCase[] {
  const file = `${canaryDir}/${CANARY_OBJECTS.file}`;
  const directory = `${canaryDir}/${CANARY_OBJECTS.directory}`;
  const fresh = (name: string) => `${canaryDir}/new-${name}`;
  const all: readonly (readonly [string, Operation, CanaryTry])[] = [
    ['file_open', 'read', { op: 'open-read', path: file }],
    ['file_open', 'write', { op: 'open-write', path: file }],
    ['inode_create', 'create', { op: 'create', path: fresh('file') }],
    ['inode_mkdir', 'create', { op: 'mkdir', path: fresh('directory') }],
    ['inode_mknod', 'create', { op: 'mknod', path: fresh('fifo') }],
    ['inode_symlink', 'create', { op: 'symlink', path: fresh('symlink'), path2: file }],
    ['inode_link', 'link', { op: 'link', path: file, path2: fresh('link') }],
    ['inode_rename', 'rename', { op: 'rename', path: file, path2: fresh('name') }],
    ['inode_setattr', 'setattr', { op: 'chmod', path: file }],
    ['inode_setattr', 'write', { op: 'truncate', path: file }],
    ['inode_setxattr', 'setattr', { op: 'setxattr', path: file }],
    ['inode_removexattr', 'setattr', { op: 'removexattr', path: file }],
    ['inode_rmdir', 'delete', { op: 'rmdir', path: directory }],
    ['inode_unlink', 'delete', { op: 'unlink', path: file }],
  ];
  // A program that was attached and is no more is tried too: it is what canaries are for.
  const hooks = new Set(
    programs
      .filter((it) => it.state === 'attached' || it.state === 'detached')
      .map((it) => it.hook),
  );
  return all
    .filter(([hook]) => hooks.has(hook))
    .map(([hook, operation, attempt]) => ({ hook, operation, attempt }));
}

/** Judges a run. Nothing tried, nothing answered, nothing attached: not healthy. */
export function judgeCanaries(cases: readonly CanaryCase[], run: CanaryRun): CanaryReport {
  const results = cases.map((it, index) => judgeCase(it, run.errnos?.[index] ?? NO_ANSWER, run));
  const denied = results.filter((it) => it.outcome === 'denied').length;
  const counted = run.deniedRise >= denied;
  return {
    healthy: results.length > 0 && denied === results.length && counted,
    generation: run.generation,
    at: run.at,
    results: counted ? results : results.map(withoutCount),
  };
}

function judgeCase({ hook, operation }: CanaryCase, errno: number, run: CanaryRun): CanaryResult {
  const result = (outcome: CanaryResult['outcome'], detail: string): CanaryResult => ({
    hook,
    operation,
    outcome,
    detail,
  });
  if (errno === NO_ANSWER) return result('no-answer', 'the child did not answer');
  if (errno === 0) return result('allowed', 'the kernel allowed what policy denies');
  // A canary that is gone proves nothing in either direction.
  if (errno === ENOENT) return result('no-answer', 'the canary object is missing');
  if (errno !== EACCES) return result('wrong-errno', `errno ${errno} in place of ${EACCES}`);
  const seen = run.sightings.filter((it) => it.hook === hook && it.operation === operation);
  const [first] = seen;
  if (first === undefined) return result('no-event', 'it was denied and no event told so');
  if (seen.length > 1) return result('no-event', `${seen.length} events in place of one`);
  if (first.generation !== run.generation) {
    return result('wrong-generation', `generation ${first.generation} denied it`);
  }
  return result('denied', `EACCES and one event of generation ${run.generation}`);
}

function withoutCount(result: CanaryResult): CanaryResult {
  if (result.outcome !== 'denied') return result;
  return { ...result, outcome: 'no-event', detail: 'the kernel did not count the denials' };
}
