// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../policy/document.ts';
import type { IrRule } from '../policy/ir.ts';
import { applyProof, planHooks } from './hooks.ts';
import type { KernelProgram, ProgramProof } from './kernel.ts';

const ALL_OPS = OPERATIONS.reduce((mask, _, index) => mask | (1 << (index + 1)), 0);
const program = (change: Partial<KernelProgram>): KernelProgram => ({
  program: 'everything',
  hook: 'file_open',
  hookId: 1,
  ops: ALL_OPS,
  onlyIfPresent: false,
  state: 'attached',
  detail: '',
  ...change,
});
const write = 1 << (OPERATIONS.indexOf('write') + 1);
const rule = (change: Partial<IrRule> = {}): IrRule => ({
  id: 'a/one',
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'A test.',
  operations: ['read', 'write'],
  objects: [],
  except: [],
  origin: { file: 'a.yaml', line: 1, column: 1 },
  ...change,
});
const ir = (...rules: IrRule[]) => ({ irVersion: 1 as const, rules });
const lost = (change: Partial<KernelProgram>) => [
  program({}),
  program({ program: 'cut', hook: 'inode_setattr', ops: write, state: 'rejected', ...change }),
];

describe('planHooks', () => {
  it('refuses a rule that needs a program which did not attach', () => {
    expect(planHooks(ir(rule()), lost({}))).toMatchObject({ error: { code: 'activate/partial' } });
    expect(planHooks(ir(rule()), lost({ state: 'absent' }))).toMatchObject({ ok: false });
  });

  it('does not miss a hook that this kernel need not have', () => {
    const plan = planHooks(ir(rule()), lost({ state: 'absent', onlyIfPresent: true }));
    expect(plan).toMatchObject({ ok: true, value: { demoted: [] } });
    expect(planHooks(ir(rule()), lost({ onlyIfPresent: true }))).toMatchObject({ ok: false });
  });

  it('is content with one variant of a hook', () => {
    expect(planHooks(ir(rule()), [...lost({}), ...lost({ state: 'attached' })])).toMatchObject({
      ok: true,
    });
  });

  it('lets a policy that says so run in audit, and says which', () => {
    const plan = planHooks(ir(rule({ onMissingHook: 'audit' })), lost({}));
    expect(plan).toMatchObject({
      value: { demoted: ['a/one'], ir: { rules: [{ mode: 'audit' }] } },
    });
  });

  it('leaves rules alone that audit anyway or need other operations', () => {
    const rules = [rule({ mode: 'audit' }), rule({ id: 'a/two', operations: ['read'] })];
    expect(planHooks(ir(...rules), lost({}))).toMatchObject({ value: { ir: { rules } } });
  });

  it('takes the operation from a canary and leaves it its teeth', () => {
    const canary = rule({ id: 'warder-baseline/canary' });
    expect(planHooks(ir(canary), lost({}))).toMatchObject({
      value: { demoted: [], ir: { rules: [{ mode: 'enforce', operations: ['read'] }] } },
    });
  });
});

describe('applyProof', () => {
  const proof: ProgramProof = {
    program: 'everything',
    hook: 'file_open',
    attached: true,
    pinned: true,
    idle: false,
    own: true,
    lsm: true,
    maps: true,
    attachedTo: 'bpf_lsm_file_open',
    tag: 'aa',
    expectedTag: 'aa',
    recursionMisses: 0,
  };
  const stateOf = (...proofs: ProgramProof[]) => applyProof([program({})], proofs)[0]?.state;

  it('believes a link that is pinned, leads to the hook and has the tag', () => {
    expect(stateOf(proof)).toBe('attached');
    expect(stateOf({ ...proof, expectedTag: '' })).toBe('attached');
  });

  it('calls everything else detached', () => {
    expect(stateOf()).toBe('detached');
    expect(stateOf({ ...proof, pinned: false })).toBe('detached');
    expect(stateOf({ ...proof, attached: false })).toBe('detached');
    expect(stateOf({ ...proof, attachedTo: 'bpf_lsm_file_permission' })).toBe('detached');
    expect(stateOf({ ...proof, expectedTag: 'bb' })).toBe('detached');
  });

  it('leaves idle what nothing in force demands, and sees what was attached on demand', () => {
    expect(stateOf({ ...proof, idle: true, attached: false, pinned: false })).toBe('idle');
    const [demanded] = applyProof([program({ state: 'idle' })], [proof]);
    expect(demanded?.state).toBe('attached');
    const [lost] = applyProof([program({ state: 'idle' })], [{ ...proof, pinned: false }]);
    expect(lost?.state).toBe('detached');
  });

  it('tells skipped calls', () => {
    const [told] = applyProof([program({})], [{ ...proof, recursionMisses: 3 }]);
    expect(told?.detail).toContain('3');
  });
});
