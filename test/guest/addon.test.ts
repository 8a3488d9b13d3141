// The addon's handle in a real kernel: load, fill, commit, swap, restore, adopt, upgrade, disable. Each
// step of addon-steps.mjs is a process of its own, because what outlives a process is the point.
//
// The object is the loader's own fixture: it denies opening what `objects` holds, and one of its programs
// is rejected by every verifier. What warder.bpf.o decides is tested elsewhere.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  AddonHost,
  AddonProgram,
  AddonProof,
  BankIds,
  ProbeAnswer,
  Removal,
} from '../../src/adapters/kernel/addon.ts';
import { bootGuest, DEFAULT_SERIES, type Guest } from '../support/guest/guest.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = '/opt/addon';

interface Moment {
  readonly committed: number | null;
  readonly read: string;
}

/** BigInts come as strings. */
interface Totals {
  readonly sequence: string;
  readonly emitted: string;
  readonly dropped: string;
  readonly denied: string;
}

interface Activated {
  readonly adopted: boolean;
  readonly programs: readonly AddonProgram[];
  readonly before: Moment;
  readonly filled: Moment;
  readonly denied: Moment;
  readonly refused: Readonly<Record<string, string>>;
  readonly swapped: Moment;
  readonly restored: Moment;
  readonly sameInode: boolean;
  readonly sameRows: boolean;
  readonly sameHeader: boolean;
  readonly links: readonly number[];
  readonly bankIds: readonly BankIds[];
  readonly counters: Totals;
  readonly events: number;
}

interface Adopted {
  readonly adopted: boolean;
  readonly programs: readonly AddonProgram[];
  readonly busy: string;
  readonly events: readonly number[];
  readonly tries: readonly ProbeAnswer[];
  readonly read: string;
  readonly committed: { readonly bank: number; readonly mapIds: BankIds };
  readonly proof: readonly (Omit<AddonProof, 'recursionMisses'> & {
    readonly recursionMisses: string;
  })[];
  readonly counters: Totals;
}

/** BPF_MAX_TRAMP_LINKS of the kernel. */
const PROGRAMS_MAX = '38';

let guest: Guest;
let activated: Activated;

beforeAll(async () => {
  execFileSync('make', ['--silent', '--directory', join(ROOT, 'native'), 'all', 'fixture']);
  guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  const files: readonly (readonly [string, string])[] = [
    ['warder.node', 'build/native/warder.node'],
    ['fixture.bpf.o', 'build/native/fixture.bpf.o'],
    ['addon-steps.mjs', 'test/guest/addon-steps.mjs'],
  ];
  for (const [name, source] of files)
    await guest.put(`${FOLDER}/${name}`, readFileSync(join(ROOT, source)));
  activated = await step<Activated>('activate');
});

afterAll(async () => {
  await guest.stop();
});

async function step<T>(name: string): Promise<T> {
  const args = ['node', `${FOLDER}/addon-steps.mjs`, name, `${FOLDER}/fixture.bpf.o`];
  const { exitCode, stdout, stderr } = await guest.run(args);
  // Nothing of libbpf may reach the outputs of the process.
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const found: T = JSON.parse(stdout);
  return found;
}

function stateOf(programs: readonly AddonProgram[], name: string): AddonProgram | undefined {
  return programs.find(({ program }) => program === name);
}

test('the host has what loading needs', async () => {
  const host = await step<AddonHost>('host');
  expect(host).toMatchObject({ btf: true, bpffs: true });
  expect(host.lsm).toContain('bpf');
  expect(host.capabilities).toContain('CAP_BPF');
  const setattr = host.hooks.find(({ hook }) => hook === 'inode_setattr');
  expect(setattr).toMatchObject({
    hook: 'inode_setattr',
    present: true,
    // The prototype changed between the series; the row is chosen by what BTF says.
    ...(DEFAULT_SERIES === '6.1'
      ? { nargs: 2, program: 'inode_setattr' }
      : { nargs: 3, program: 'inode_setattr_idmap' }),
  });
});

describe('the first activation', () => {
  test('case 87: loads what the verifier takes, and keeps the verifier’s words for what it does not', () => {
    expect(activated.adopted).toBe(false);
    expect(stateOf(activated.programs, 'file_open')?.state).toBe('attached');
    expect(stateOf(activated.programs, 'inode_getattr')).toBeUndefined(); // attached only to resolve
    expect(stateOf(activated.programs, 'mmap_file')?.state).toBe('absent');
    const rejected = stateOf(activated.programs, 'inode_mkdir');
    expect(rejected).toMatchObject({ state: 'rejected', step: 'load', errno: 'EACCES' });
    expect(rejected?.log).toContain('map_value_or_null');
  });

  test('allows everything until a generation is committed', () => {
    expect(activated.before).toEqual({ committed: null, read: 'allowed' });
    expect(activated.filled).toEqual({ committed: null, read: 'allowed' });
  });

  test('denies with EACCES, swaps and restores, each by one commit', () => {
    expect(activated.denied).toEqual({ committed: 0, read: 'EACCES' });
    expect(activated.swapped).toEqual({ committed: 1, read: 'allowed' });
    expect(activated.restored).toEqual({ committed: 0, read: 'EACCES' });
  });

  test('never writes the bank that is in force, and commits only finished ones', () => {
    expect(activated.refused).toEqual({
      fill: 'committed',
      clear: 'committed',
      empty: 'bank-empty',
      twice: 'readback',
    });
    expect(activated.bankIds[2]).toEqual({
      header: 0,
      objects: 0,
      names: 0,
      labels: 0,
      exempt: 0,
      groups: 0,
    });
  });

  test('resolves the kernel’s identity and reads back what was filled', () => {
    const { sameInode, sameRows, sameHeader } = activated;
    expect({ sameInode, sameRows, sameHeader }).toEqual({
      sameInode: true,
      sameRows: true,
      sameHeader: true,
    });
  });

  test('tells each denial by one event', () => {
    const { sequence, emitted, dropped, denied } = activated.counters;
    expect({ sequence, emitted, dropped, denied }).toEqual({
      sequence: '2',
      emitted: '2',
      dropped: '0',
      denied: '2',
    });
    expect(activated.events).toBe(2);
  });
});

describe('a generation that cannot be filled', () => {
  test('case 85, case 86: a map that is full, or no memory, leaves the old one in force', async () => {
    await guest.sh('echo +memory > /sys/fs/cgroup/cgroup.subtree_control');
    expect(await step('starve')).toEqual({
      full: { code: 'map-update', errno: 'E2BIG' },
      starved: { code: expect.stringMatching(/^map-/), errno: 'ENOMEM' },
      committed: 0,
      read: 'EACCES',
    });
  });
});

describe('after the process ended', () => {
  test('the kernel still denies', async () => {
    const { exitCode, stderr } = await guest.run(['cat', '/tmp/secret'], { uid: 0 });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('Permission denied');
  });

  test('another process adopts the same links and maps, and proves them', async () => {
    const adopted = await step<Adopted>('adopt');
    expect(adopted).toMatchObject({ adopted: true, read: 'EACCES', busy: 'busy' });
    expect(adopted.committed).toMatchObject({ bank: 0, mapIds: activated.bankIds[0] });
    expect(stateOf(adopted.programs, 'inode_mkdir')?.state).toBe('rejected');
    expect(adopted.proof.map(({ linkId }) => linkId)).toEqual(activated.links);
    const attached = adopted.proof.filter(({ attached }) => attached);
    expect(attached.map(({ program }) => program)).toEqual(['file_open']);
    for (const proof of attached) {
      expect(proof).toMatchObject({
        pinned: true,
        own: true,
        lsm: true,
        maps: true,
        attachedTo: `bpf_lsm_${proof.hook}`,
        expectedTag: proof.tag,
        recursionMisses: '0',
      });
      expect(proof.tag).toMatch(/^[0-9a-f]{16}$/);
    }
    // The event of cat was waiting in the pinned ring; events are told one at a time when asked so.
    expect(adopted.events).toEqual([1, 0]);
    expect(adopted.tries).toEqual([
      { op: 'open-read', path: '/tmp/secret', answered: true, errno: 'EACCES' },
      { op: 'open-read', path: '/etc/passwd', answered: true, errno: null },
    ]);
  });

  test('a new build takes over only once it enforces itself', async () => {
    const upgraded = await step<{ early: string; retired: Removal; again: Removal; read: string }>(
      'upgrade',
    );
    expect(upgraded).toEqual({
      adopted: false,
      early: 'committed-elsewhere',
      retired: { links: 1, builds: 1, alive: 0 },
      again: { links: 0, builds: 0, alive: 0 },
      read: 'EACCES',
    });
  });

  test('a closed handle refuses every method', async () => {
    const codes = await step<Record<string, string>>('closed');
    expect(Object.keys(codes).length).toBeGreaterThanOrEqual(13);
    expect(new Set(Object.values(codes))).toEqual(new Set(['closed']));
  });

  test('disabling takes all pins away, and nothing is denied any more', async () => {
    const disabled = await step('disable');
    expect(disabled).toEqual({
      removed: { links: 1, builds: 1, alive: 0 },
      read: 'allowed',
      closed: 'closed',
      again: { links: 0, builds: 0, alive: 0 },
    });
    expect((await guest.sh('ls -A /sys/fs/bpf/warder-test')).stdout).toBe('');
    expect((await guest.run(['bpftool', 'link'])).stdout).toBe('');
  });
});

describe('a hook that has as many programs as it takes', () => {
  test('case 90: refuses one more with E2BIG, which is told', async () => {
    const types = await guest.sh(
      'bpftool btf dump file /sys/kernel/btf/vmlinux | grep -F "FUNC \'bpf_lsm_file_open\'"',
    );
    const type = /^\[(\d+)\]/.exec(types.stdout)?.[1];
    expect(type).toBeDefined();
    // The shell opens its fifo for both directions, so that it need not wait for a writer.
    const hold = 'mkfifo /run/crowd && exec 3<>/run/crowd && exec "$@" <&3';
    const crowd = await guest.spawn(['sh', '-c', hold, 'sh', 'crowd', type ?? '', PROGRAMS_MAX]);
    await crowd.waitFor(/^ready$/m);
    expect(await step('crowded')).toEqual({ state: 'rejected', step: 'attach', errno: 'E2BIG' });
    await crowd.kill();
  });
});

describe('pins that are not whole', () => {
  test('of a build that was being assembled are removed, and the build is made anew', async () => {
    const { builds, ...rest } = await step<{ builds: string[] }>('interrupted');
    expect(rest).toEqual({ adopted: false, committed: null });
    expect(builds).toHaveLength(1);
    expect(builds[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test('are told, repaired where it is a link, and refused where it is a map', async () => {
    expect(await step('damaged')).toEqual({
      attached: 1,
      unpinned: { attached: true, pinned: false },
      repaired: { attached: 1, pins: 1 },
      refused: 'adopt',
      remade: false,
      afresh: true,
    });
  });
});

test('65,536 objects are filled, frozen and read back', async () => {
  const large = await step<{ bytes: number; read: string }>('large');
  expect(large).toMatchObject({ bytes: 65_536 * 48, read: 'allowed' });
});
