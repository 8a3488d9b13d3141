// SPDX-License-Identifier: Apache-2.0
// What every other guest test stands on: the guest boots with the BPF LSM on, takes commands, reaches a
// registry on the host, and a disk of it survives a power cut.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDisk } from '../support/guest/disk.ts';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const COMMANDS = 100;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warder-lab-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a guest', () => {
  let guest: Guest;

  beforeAll(async () => {
    guest = await bootGuest();
  });

  afterAll(async () => {
    await guest.stop();
  });

  test('has the BPF LSM among its security modules, and the kernel types that programs need', async () => {
    const lsm = await guest.get('/sys/kernel/security/lsm');
    expect(lsm.toString().split(',')).toContain('bpf');
    expect((await guest.get('/sys/kernel/btf/vmlinux')).readUInt16LE(0)).toBe(0xeb9f);
  });

  test('runs the pinned Node and the oras of the checkout', async () => {
    expect((await guest.run(['node', '--version'])).stdout.trim()).toBe(process.version);
    expect((await guest.run(['oras', 'version'])).stdout).toMatch(/^Version:\s+1\.\d+\.\d+/);
  });

  test('keeps commands that run at the same time apart', async () => {
    const numbers = Array.from({ length: COMMANDS }, (_, index) => String(index));
    const results = await Promise.all(numbers.map((number) => guest.run(['echo', number])));
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(numbers);
  });

  test('passes on standard input, both outputs, the status, the user and the environment', async () => {
    const script = 'cat; id -u >&2; pwd >&2; echo "$WORD" >&2; exit 3';
    const options = {
      uid: 1000,
      stdin: 'to the guest\n',
      cwd: '/home/alice',
      env: { WORD: 'over' },
    };
    const result = await guest.sh(script, options);
    expect(result).toMatchObject({ exitCode: 3, stdout: 'to the guest\n', timedOut: false });
    expect(result.stderr).toBe('1000\n/home/alice\nover\n');
  });

  test('carries binary files of any size both ways', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    await guest.put('/tmp/carried', bytes, 0o640);
    expect(bytes.equals(await guest.get('/tmp/carried'))).toBe(true);
    expect((await guest.run(['stat', '-c', '%a', '/tmp/carried'])).stdout.trim()).toBe('640');
    await expect(guest.get('/tmp/absent')).rejects.toThrow(
      '/tmp/absent: No such file or directory',
    );
  });

  test('ends a command that takes too long, with everything it started', async () => {
    const result = await guest.sh('sleep 4321 & sleep 4321', { timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: 137, timedOut: true });
    expect((await guest.run(['ps'])).stdout).not.toContain('sleep 4321');
  });

  test('runs programs in the background, shows their output as it comes, and signals them', async () => {
    const process = await guest.spawn([
      'sh',
      '-c',
      'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.1; done',
    ]);
    await process.waitFor(/^up$/m);
    expect((await guest.run(['test', '-d', `/proc/${process.pid}`])).exitCode).toBe(0);
    expect(await process.kill('SIGTERM')).toBe(true);
    expect(await process.done).toMatchObject({ exitCode: 5, stdout: 'up\nbye\n' });
    expect(await process.kill('SIGTERM')).toBe(false);
  });

  test('reaches the loopback of the host and nothing beyond it', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end('from the host'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    try {
      const { stdout } = await guest.run(['wget', '-q', '-O', '-', `http://10.0.2.2:${port}/`]);
      expect(stdout).toBe('from the host');
      expect((await guest.run(['ip', 'route'])).stdout).not.toContain('default');
    } finally {
      server.close();
    }
  });

  test('loads file systems that the kernel keeps as modules', async () => {
    expect(
      await guest.sh('modprobe -a overlay btrfs && grep -c -e overlay -e btrfs /proc/filesystems'),
    ).toMatchObject({
      stdout: '2\n',
      exitCode: 0,
    });
  });
});

describe('a power cut', () => {
  test('keeps what was flushed to the disk, and ends every open request with the reason', async () => {
    const disk = createDisk(join(folder, 'disk.img'), 64);
    const before = await bootGuest({ disk });
    expect((await before.sh('echo kept > /disk/file && sync /disk/file /disk')).exitCode).toBe(0);
    const open = before.run(['sleep', '60']);
    const failed = expect(open).rejects.toThrow('the guest is gone');
    await before.run(['true']);
    await before.crash();
    await failed;

    const after = await bootGuest({ disk });
    expect((await after.get('/disk/file')).toString()).toBe('kept\n');
    await after.stop();
  });
});

describe('a guest that does not boot', () => {
  test('is reported with the end of its console', async () => {
    await expect(bootGuest({ append: 'rdinit=/absent init=/absent' })).rejects.toThrow(
      /console:.*panic/is,
    );
  });
});
