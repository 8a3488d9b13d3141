// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { hostFailure, judgeHost } from './host.ts';
import type { HostFacts } from './kernel.ts';

const able: HostFacts = {
  release: '6.1.0-18-amd64',
  btf: true,
  lsm: ['lockdown', 'yama', 'bpf'],
  bpffs: true,
  capabilities: ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN', 'CAP_DAC_READ_SEARCH'],
  hooks: ['file_open', 'inode_unlink', 'inode_rename', 'inode_create', 'inode_setattr'].map(
    (hook) => ({ hook, program: hook }),
  ),
};

describe('judgeHost', () => {
  it('finds nothing missing on a host that can enforce', () => {
    expect(hostFailure(judgeHost(able))).toBeNull();
    expect(judgeHost({ ...able, release: '7.3.0' }).missing).toEqual([]);
  });

  const table: readonly (readonly [string, Partial<HostFacts>])[] = [
    ['kernel-version', { release: '5.10.0-28-amd64' }],
    ['kernel-version', { release: '6.0.12' }],
    ['kernel-version', { release: 'unknown' }],
    ['btf', { btf: false }],
    ['lsm-order', { lsm: ['lockdown', 'apparmor'] }],
    ['lsm-order', { lsm: [] }],
    ['capability', { capabilities: ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN'] }],
    ['hook', { hooks: able.hooks.slice(1) }],
    ['hook', { hooks: able.hooks.map(({ hook }) => ({ hook, program: null })).slice(0, 5) }],
    ['bpffs', { bpffs: false }],
  ];
  for (const [what, change] of table) {
    it(`names ${what} alone for ${JSON.stringify(change).slice(0, 60)}`, () => {
      const report = judgeHost({ ...able, ...change });
      expect(new Set(report.missing.map((it) => it.what))).toEqual(new Set([what]));
      expect(hostFailure(report)).toMatchObject({ code: 'host/unsupported' });
      expect(hostFailure(report)?.hints.length).toBeGreaterThan(0);
    });
  }
});
