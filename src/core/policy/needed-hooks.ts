// Which hooks of the kernel policies cannot do without, for the descriptor of a bundle: a host that lacks
// one of them can say so before it looks at anything else. The table is that of bpf/include/programs.h
// without what newer kernels have beside it; a test holds both together.
//
// SPDX-License-Identifier: Apache-2.0

import type { Operation } from './document.ts';
import type { PolicyIr } from './ir.ts';

// Leaving a tree, resolving paths and keeping identities matter to every rule.
const ALWAYS = ['file_ioctl', 'inode_link', 'inode_rename', 'task_prctl', 'inode_getattr'] as const;

/** Hooks without which an operation is not enforced, on any kernel. */
export const HOOKS_OF: Readonly<Record<Operation, readonly string[]>> = {
  read: ['file_open', 'mmap_file'],
  write: ['file_open', 'mmap_file', 'inode_setattr'],
  create: ['inode_create', 'inode_symlink', 'inode_mkdir', 'inode_mknod'],
  delete: ['inode_unlink', 'inode_rmdir'],
  rename: [],
  link: [],
  setattr: ['inode_setattr', 'inode_setxattr', 'inode_removexattr'],
  execute: ['file_open', 'mmap_file', 'file_mprotect', 'bprm_check_security'],
  mount: ['sb_mount', 'move_mount', 'sb_pivotroot'],
  use: ['file_permission'],
};

// On newer kernels only: where one is absent, so is what it would judge, and no policy needs it by itself.
const IF_PRESENT = [
  'file_ioctl_compat',
  'inode_file_setattr',
  'inode_remove_acl',
  'inode_set_acl',
  'quota_on',
] as const;

/** Every hook that serves policies somewhere: what a publisher may require of hosts. */
export const KNOWN_HOOKS: readonly string[] = [
  ...new Set([...ALWAYS, ...Object.values(HOOKS_OF).flat(), ...IF_PRESENT]),
].sort();

/** The hooks that enforcing rules need; rules that may run as an audit demand none. */
export function neededHooks(ir: PolicyIr): readonly string[] {
  const demanding = ir.rules.filter(
    ({ mode, onMissingHook }) => mode === 'enforce' && onMissingHook === 'refuse',
  );
  if (demanding.length === 0) return [];
  const of = demanding.flatMap(({ operations }) => operations.flatMap((it) => HOOKS_OF[it]));
  return [...new Set([...ALWAYS, ...of])].sort();
}
