// A host that cannot enforce says so before it touches anything.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/core/enforcer/doctor.ts';
import { bootGuest, DEFAULT_SERIES, type Guest } from '../support/guest/guest.ts';
import { cachedSeries } from '../support/guest/kernels.ts';

const CONFIG = '/etc/enforcer.yaml';
const TOO_OLD = '5.10';
const UNSUPPORTED = 21;

const oldSeries = await cachedSeries(TOO_OLD);

async function startEnforcer(guest: Guest) {
  await guest.put(
    CONFIG,
    'apiVersion: warder.dev/enforcer/v1\nrepository: registry.example.test/policies\nchannel: prod\n',
  );
  return guest.run(['warder-enforcer', '--config', CONFIG]);
}

async function expectUntouched(guest: Guest): Promise<void> {
  expect((await guest.run(['bpftool', '-j', 'link', 'list'])).stdout.trim()).toBe('[]');
  const left = await guest.sh('ls -d /sys/fs/bpf/warder /var/lib/warder/enforcer /run/warder');
  expect(left.stdout).toBe('');
}

describe('case 89: a kernel whose lsm= lacks bpf', () => {
  let guest: Guest;

  beforeAll(async () => {
    guest = await bootGuest({ append: 'lsm=landlock,lockdown,yama' });
  });
  afterAll(async () => {
    await guest?.stop();
  });

  it('is refused with exit 21, which names the order and what to write', async () => {
    const { exitCode, stderr } = await startEnforcer(guest);
    expect(exitCode).toBe(UNSUPPORTED);
    expect(stderr).toContain('host/unsupported');
    expect(stderr).toContain('lsm-order');
    // The kernel says the active ones in an order of its own.
    expect(stderr).toMatch(/\blsm=\S*,bpf\b/);
  });

  it('is what `warder doctor` says of it, hook by hook', async () => {
    const { exitCode, stdout } = await guest.run(['warder', 'doctor', '--output', 'json']);
    expect(exitCode).toBe(21);
    const { diagnosis } = JSON.parse(stdout) as { readonly diagnosis: Diagnosis };
    const alsoOld = DEFAULT_SERIES === TOO_OLD ? ['kernel-version'] : [];
    expect(diagnosis.host.missing.map((it) => it.what)).toEqual([...alsoOld, 'lsm-order']);
    expect(diagnosis.operations.filter((it) => it.enforceable)).toEqual([]);
    expect(diagnosis.hooks.find((it) => it.hook === 'file_open')?.state).toBe('fits');
  });

  it('has nothing of Warder in the kernel, on the disk or on a socket afterwards', async () => {
    await expectUntouched(guest);
  });
});

describe('a kernel without bpf_loop', () => {
  let guest: Guest | null = null;

  beforeAll(async () => {
    if (oldSeries !== null) guest = await bootGuest({ series: oldSeries });
  });
  afterAll(async () => {
    await guest?.stop();
  });

  it('is refused with exit 21, which names its version, and nothing is touched', async ({
    skip,
  }) => {
    if (guest === null) return skip(`no kernel ${TOO_OLD} in the cache: "make kernels" fetches it`);
    const { exitCode, stderr } = await startEnforcer(guest);
    expect(exitCode).toBe(UNSUPPORTED);
    expect(stderr).toContain('host/unsupported');
    expect(stderr).toContain('kernel-version');
    await expectUntouched(guest);
  });
});
