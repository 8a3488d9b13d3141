// A host that cannot enforce says so before it touches anything.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const CONFIG = '/etc/enforcer.yaml';

let guest: Guest;

beforeAll(async () => {
  guest = await bootGuest({ append: 'lsm=landlock,lockdown,yama' });
  await guest.put(
    CONFIG,
    'apiVersion: warder.dev/enforcer/v1\nrepository: registry.example.test/policies\nchannel: prod\n',
  );
});

afterAll(async () => {
  await guest?.stop();
});

describe('case 89: a kernel whose lsm= lacks bpf', () => {
  it('is refused with exit 21, which names the order and what to write', async () => {
    const { exitCode, stderr } = await guest.run(['warder-enforcer', '--config', CONFIG]);
    expect(exitCode).toBe(21);
    expect(stderr).toContain('host/unsupported');
    expect(stderr).toContain('lsm-order');
    // The kernel says the active ones in an order of its own.
    expect(stderr).toMatch(/\blsm=\S*,bpf\b/);
  });

  it('has nothing of Warder in the kernel, on the disk or on a socket afterwards', async () => {
    expect((await guest.run(['bpftool', '-j', 'link', 'list'])).stdout.trim()).toBe('[]');
    const left = await guest.sh('ls -d /sys/fs/bpf/warder /var/lib/warder/enforcer /run/warder');
    expect(left.stdout).toBe('');
  });
});
