// A host that can enforce everything, as facts.
//
// SPDX-License-Identifier: Apache-2.0

import type { HostFacts } from '../../src/core/enforcer/kernel.ts';
import { OPERATIONS, type Operation } from '../../src/core/policy/document.ts';

const bits = (operations: readonly Operation[]) =>
  operations.reduce((all, it) => all | (1 << (OPERATIONS.indexOf(it) + 1)), 0);

const hook = (name: string, nargs: number, operations: readonly Operation[], optional = false) => ({
  hook: name,
  program: name,
  nargs,
  ops: bits(operations),
  onlyIfPresent: optional,
});

export const HOST: HostFacts = {
  release: '6.12.0-1-amd64',
  btf: true,
  lsm: ['lockdown', 'yama', 'bpf'],
  bpffs: true,
  capabilities: ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN', 'CAP_DAC_READ_SEARCH'],
  lockdown: 'none',
  preemption: 'voluntary',
  hooks: [
    hook('file_open', 1, ['read', 'write', 'execute']),
    hook('inode_create', 3, ['create']),
    hook('inode_link', 3, ['link']),
    hook('inode_unlink', 2, ['delete']),
    hook('inode_rename', 4, OPERATIONS),
    hook('inode_setattr', 3, ['write', 'setattr']),
    hook('inode_set_acl', 4, ['setattr'], true),
    hook('sb_mount', 5, ['mount']),
    hook('file_permission', 2, ['use']),
  ],
};
