// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { IrRule, PolicyIr } from '../../core/policy/ir.ts';
import { encodeIr, parseIr } from './ir.ts';

const rule: IrRule = {
  id: 'a/b',
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'because',
  operations: ['read', 'write'],
  objects: [
    { kind: 'path', path: '/a' },
    { kind: 'tree', path: '/a' },
  ],
  except: [{ uid: 3 }, { exe: '/x' }],
  origin: { file: 'p.yaml', line: 1, column: 2 },
};
const ir = (...rules: object[]) => ({ irVersion: 1, rules }) as unknown as PolicyIr;

function code(bytes: Uint8Array): string {
  const parsed = parseIr(bytes);
  return parsed.ok ? 'ok' : parsed.error.code;
}

describe('compiled policies from a stranger', () => {
  it('are read when canonical', () => {
    expect(parseIr(encodeIr(ir(rule, { ...rule, id: 'a/c' })))).toEqual({
      ok: true,
      value: ir(rule, { ...rule, id: 'a/c' }),
    });
    expect(code(encodeIr(ir()))).toBe('ok');
  });

  it.each([
    ['unsorted rules', ir({ ...rule, id: 'b/a' }, rule)],
    ['a repeated rule', ir(rule, rule)],
    ['unsorted operations', ir({ ...rule, operations: ['write', 'read'] })],
    ['repeated objects', ir({ ...rule, objects: [rule.objects[0], rule.objects[0]] })],
    ['unsorted exemptions', ir({ ...rule, except: [{ exe: '/x' }, { uid: 3 }] })],
    ['an exemption of everybody', ir({ ...rule, except: [{}] })],
    ['a tree on the root', ir({ ...rule, objects: [{ kind: 'tree', path: '/' }] })],
    ['a path with ..', ir({ ...rule, objects: [{ kind: 'path', path: '/a/../b' }] })],
    ['no objects', ir({ ...rule, objects: [] })],
    ['an unknown operation', ir({ ...rule, operations: ['open'] })],
    ['an empty scope', ir({ ...rule, scope: { units: [], cgroups: [] } })],
    ['an unsorted scope', ir({ ...rule, scope: { units: [], cgroups: ['/b', '/a'] } })],
    ['a digest of nothing', ir({ ...rule, except: [{ digest: `sha256:${'a'.repeat(64)}` }] })],
    ['a unit and a cgroup', ir({ ...rule, except: [{ unit: 'a.service', cgroup: '/a' }] })],
    ['an unknown field', ir({ ...rule, color: 'red' })],
    ['another version', { irVersion: 2, rules: [] } as unknown as PolicyIr],
    [
      '1,009 rules',
      ir(...Array.from({ length: 1009 }, (_, at) => ({ ...rule, id: `a/r${at + 1000}` }))),
    ],
  ])('with %s are refused', (_what, bad) => {
    expect(code(encodeIr(bad))).toBe('policy/ir-invalid');
  });

  it('that name the baseline are refused with their own code', () => {
    expect(code(encodeIr(ir({ ...rule, id: 'warder-baseline/canary' })))).toBe(
      'policy/reserved-name',
    );
  });

  it('in another spelling are refused', () => {
    const text = new TextDecoder().decode(encodeIr(ir(rule)));
    expect(code(new TextEncoder().encode(` ${text}`))).toBe('policy/ir-invalid');
    expect(code(new TextEncoder().encode(text.replace('"line":1', '"line":1.0')))).toBe(
      'policy/ir-invalid',
    );
    expect(code(new TextEncoder().encode('nonsense'))).toBe('policy/ir-invalid');
  });
});
