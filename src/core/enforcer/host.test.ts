// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { HOST as able } from '../../../test/support/host-facts.ts';
import { hostFailure, judgeHost } from './host.ts';
import type { HostFacts } from './kernel.ts';

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
    ['hook', { hooks: able.hooks.map((it) => ({ ...it, program: null })) }],
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
