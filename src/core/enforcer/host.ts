// Can this host enforce? A refusal names what is missing and what to do about it, in the order in
// which an administrator would fix it.
//
// SPDX-License-Identifier: Apache-2.0

import type { HostReport } from '../enforcement.ts';
import { isKernelAtLeast, KERNEL_MIN } from '../kernel-version.ts';
import { type Failure, failure } from '../result.ts';
import type { HostFacts } from './kernel.ts';

// Loading needs the first two, pinning and identities the last: CAP_DAC_READ_SEARCH reaches every path.
const CAPABILITIES = ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN', 'CAP_DAC_READ_SEARCH'] as const;
// Without these hooks no policy means anything; the others are demanded by the rules that need them.
const HOOKS = [
  'file_open',
  'inode_unlink',
  'inode_rename',
  'inode_create',
  'inode_setattr',
] as const;

/** Names everything that keeps this host from enforcing. */
export function judgeHost(facts: HostFacts): HostReport {
  const missing: HostReport['missing'][number][] = [];
  if (!isKernelAtLeast(facts.release, KERNEL_MIN)) {
    missing.push({
      what: 'kernel-version',
      detail: `the kernel is ${facts.release}; bpf_loop in LSM programs needs ${KERNEL_MIN}`,
      hint: `boot a kernel of series ${KERNEL_MIN} or newer`,
    });
  }
  if (!facts.btf) {
    missing.push({
      what: 'btf',
      detail: '/sys/kernel/btf/vmlinux is not there',
      hint: 'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y',
    });
  }
  if (!facts.lsm.includes('bpf')) {
    missing.push({
      what: 'lsm-order',
      detail: `the active security modules are: ${facts.lsm.join(',') || '(unreadable)'}`,
      hint: lsmHint(facts.lsm),
    });
  }
  for (const capability of CAPABILITIES) {
    if (facts.capabilities.includes(capability)) continue;
    missing.push({
      what: 'capability',
      detail: `the process lacks ${capability}`,
      hint: 'run the enforcer as root, in the initial user namespace',
    });
  }
  for (const hook of HOOKS) {
    if (facts.hooks.some((it) => it.hook === hook && it.program !== null)) continue;
    missing.push({
      what: 'hook',
      detail: `no program fits bpf_lsm_${hook} of this kernel`,
      hint: 'use a kernel that Warder supports, or report its version',
    });
  }
  if (!facts.bpffs) {
    missing.push({
      what: 'bpffs',
      detail: '/sys/fs/bpf is not a BPF file system',
      hint: 'mount -t bpf bpf /sys/fs/bpf',
    });
  }
  return { kernel: facts.release, missing };
}

/** The refusal of a host that cannot enforce; null when it can. */
export function hostFailure(report: HostReport): Failure | null {
  if (report.missing.length === 0) return null;
  const what = [...new Set(report.missing.map((it) => it.what))].join(', ');
  return failure('host/unsupported', `this host cannot enforce; missing: ${what}`, {
    causes: report.missing.map((it) => `${it.what}: ${it.detail}`),
    hints: [...new Set(report.missing.map((it) => it.hint))],
  });
}

function lsmHint(active: readonly string[]): string {
  // `capability` is always there and never named. An unreadable list must not become a short one:
  // what lsm= does not name is off after the reboot.
  const listed = active.filter((it) => it !== 'capability');
  return listed.length === 0
    ? 'add bpf to the end of the lsm= list on the kernel command line and reboot'
    : `put lsm=${[...listed, 'bpf'].join(',')} on the kernel command line and reboot`;
}
