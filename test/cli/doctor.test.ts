// `warder doctor` over hosts of every kind. The texts are in cases/; what the facts mean is tested beside
// src/core/enforcer/doctor.ts, and the real program in test/vm.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { HostFacts } from '../../src/core/enforcer/kernel.ts';
import { err, failure, ok } from '../../src/core/result.ts';
import type { EnforcerPort } from '../../src/ports.ts';
import { documentOf, expectCase, run, type Surroundings } from '../support/cli.ts';
import { enforcerAnswering, enforcerDown, STATUS } from '../support/enforcer-answers.ts';
import { HOST } from '../support/host-facts.ts';

const on = (change: Partial<HostFacts>, enforcer: EnforcerPort = enforcerDown()): Surroundings => ({
  services: { hostFacts: async () => ok({ ...HOST, ...change }), enforcer: () => enforcer },
});
const without = (hook: string, change: Partial<HostFacts['hooks'][number]>) =>
  HOST.hooks.map((it) => (it.hook === hook ? { ...it, program: null, ...change } : it));
const REJECTED = {
  hook: 'inode_link',
  program: 'inode_link',
  state: 'rejected',
  detail: 'load EINVAL the verifier said no',
} as const;

describe('warder doctor', () => {
  it.each<[string, number, Surroundings]>([
    ['able', 0, on({})],
    ['no-bpf', 21, on({ lsm: ['lockdown', 'yama'] })],
    ['nothing', 21, on({ lsm: [], btf: false, bpffs: false, capabilities: [], hooks: [] })],
    ['hook-absent', 0, on({ hooks: without('inode_link', { nargs: null }) })],
    ['hook-other', 21, on({ hooks: without('inode_setattr', { nargs: 9 }) })],
    ['hook-optional', 0, on({ hooks: without('inode_set_acl', { nargs: null }) })],
    [
      'concerns',
      0,
      on({ release: '6.1.0-1-amd64', lockdown: 'confidentiality', preemption: 'full' }),
    ],
    ['running', 0, on({}, enforcerAnswering())],
    [
      'rejected',
      0,
      on({}, enforcerAnswering({ status: async () => ok({ ...STATUS, hooks: [REJECTED] }) })),
    ],
  ])('says what a host can enforce: %s', async (name, exit, around) => {
    expect((await expectCase(`doctor-${name}`, ['doctor'], around)).exit).toBe(exit);
    const json = await run(['doctor', '--output', 'json'], around);
    expect(json).toMatchObject({ exit, stderr: '' });
    expect(documentOf(json)).toMatchObject({ kind: 'Diagnosis', ok: exit === 0 });
  });

  it('prints the whole document for machines', async () => {
    await expectCase('doctor-json', ['doctor', '--output', 'json'], on({}));
  });

  it('says that nobody could tell', async () => {
    const why = failure(
      'host/facts-unavailable',
      '/usr/bin/warder-enforcer --facts gave no answer',
      {
        causes: ['spawn /usr/bin/warder-enforcer ENOENT'],
      },
    );
    const services = { hostFacts: async () => err(why), enforcer: () => enforcerDown() };
    expect((await expectCase('doctor-no-facts', ['doctor'], { services })).exit).toBe(21);
  });
});
