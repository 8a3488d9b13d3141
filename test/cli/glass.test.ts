// `warder break-glass`: real keys and files, the enforcer has fixed answers.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlassRequest, parseGlassFile, readGlassOrder } from '../../src/wire/glass.ts';
import { documentOf, expectCase, run } from '../support/cli.ts';
import { expectOk } from '../support/enforcer.ts';
import { enforcerAnswering, GLASS, GLASS_REQUEST, STATUS } from '../support/enforcer-answers.ts';

const PASSPHRASE = { WARDER_KEY_PASSPHRASE: 'correct horse' };
const services = { enforcer: () => enforcerAnswering() };
let dir: string;
const names = new Map<string, string>();

const around = (more: object = {}) => ({ cwd: dir, variables: PASSPHRASE, names, ...more });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-glass-'));
  names.set(dir, '/here');
  for (const key of ['alice', 'bob']) {
    await run(['key', 'generate', '--out', join(dir, `${key}.pem`)], { variables: PASSPHRASE });
  }
  writeFileSync(join(dir, 'request.json'), encodeGlassRequest(GLASS_REQUEST));
});
afterAll(() => rm(dir, { recursive: true }));

const SIGN = ['break-glass', 'sign', 'request.json', '--key', 'alice.pem', '--out', 'order.json'];
const RELAX = ['--rule', 'account-files/shadow', '--minutes', '30', '--reason', 'password reset'];
const order = () =>
  expectOk(readGlassOrder(expectOk(parseGlassFile(readFileSync(join(dir, 'order.json'))))));

describe('an order', () => {
  it('is asked for, signed by one after the other, and used', async () => {
    await expectCase('glass-request', ['break-glass', 'request'], around({ services }));
    await expectCase('glass-sign', [...SIGN, ...RELAX], around());
    const second = ['break-glass', 'sign', 'order.json', '--key', 'bob.pem', '--out', 'order.json'];
    await expectCase('glass-sign-second', second, around());
    const again = await run([...second, '-o', 'json'], around());
    expect(documentOf(again)).toMatchObject({ signatures: 2 });
    const { host, boot, nonce } = GLASS_REQUEST;
    expect(order()).toEqual({
      action: 'relax',
      ...{ host, boot, nonce },
      rules: ['account-files/shadow'],
      cgroup: null,
      minutes: 30,
      reason: 'password reset',
    });
    const use = ['break-glass', 'use', 'order.json'];
    expect((await expectCase('glass-use', use, around({ services }))).exit).toBe(0);
    await expectCase('glass-end', ['break-glass', 'end'], around({ services }));
    await expectCase('glass-list', ['break-glass', 'list'], around({ services }));
  });

  it.each([
    ['nothing', []],
    ['no time', RELAX.slice(0, 2).concat(RELAX.slice(4))],
    ['no reason', RELAX.slice(0, 4)],
    ['a rule beside the end of everything', [...RELAX, '--disable']],
    ['more than a day', [...RELAX, '--minutes', '1441']],
    ['what is no rule', [...RELAX, '--rule', '*']],
    ['the root of all control groups', [...RELAX, '--cgroup', '/']],
    ['a control group by detours', [...RELAX, '--cgroup', '/a/../b']],
  ])('that names %s is not signed', async (_what, more) => {
    const out = ['--out', 'none.json'];
    const argv = ['break-glass', 'sign', 'request.json', '--key', 'alice.pem', ...out, ...more];
    expect((await run(argv, around())).exit).toBe(2);
    expect(existsSync(join(dir, 'none.json'))).toBe(false);
  });

  it('of others is signed as it is, or not', async () => {
    await run([...SIGN, ...RELAX], around());
    const other = ['break-glass', 'sign', 'order.json', '--key', 'bob.pem', '--out', 'order.json'];
    expect((await run([...other, '--minutes', '60'], around())).exit).toBe(2);
    expect(order()).toMatchObject({ minutes: 30 });
  });

  it('ends enforcement when it says so', async () => {
    await run([...SIGN, '--disable', '--reason', 'reinstall'], around());
    expect(order()).toMatchObject({ action: 'disable', reason: 'reinstall' });
    let given: number | undefined;
    const enforcer = () =>
      enforcerAnswering({
        disable: async (_by, _reason, statements) => {
          given = statements?.length;
          return { ok: true, value: { kind: 'nothing' } };
        },
      });
    const argv = ['disable', '--yes', '--reason', 'reinstall', '--order', 'order.json'];
    expect((await run(argv, around({ services: { enforcer } }))).exit).toBe(0);
    expect(given).toBe(1);
    const wrong = [...argv.slice(0, -1), 'request.json'];
    expect((await run(wrong, around({ services: { enforcer } }))).exit).toBe(2);
  });
});

it('shows in status, which is never a plain success meanwhile', async () => {
  const status = async () => ({ ok: true as const, value: { ...STATUS, breakGlass: GLASS } });
  const enforcer = () => enforcerAnswering({ status });
  const shown = await expectCase('glass-status', ['status'], around({ services: { enforcer } }));
  expect(shown.exit).toBe(20);
});

it('says who disabled enforcement, and that a boot parameter did', async () => {
  const by = { by: 'the boot', reason: 'the kernel command line says warder.enforce=0', at: '' };
  const off = { ...STATUS, enforced: { kind: 'nothing' as const }, proof: null, disabled: by };
  const enforcer = () => enforcerAnswering({ status: async () => ({ ok: true, value: off }) });
  const shown = await expectCase('glass-boot-off', ['status'], around({ services: { enforcer } }));
  expect(shown.exit).toBe(17);
});
