// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lackingHooks, toOffer } from '../verify/host.ts';
import { OPERATIONS } from './document.ts';
import type { IrRule } from './ir.ts';
import { HOOKS_OF, KNOWN_HOOKS, neededHooks } from './needed-hooks.ts';

const rule = (more: Partial<IrRule>): IrRule => ({
  id: 'p/r',
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'because',
  operations: ['mount'],
  objects: [{ kind: 'path', path: '/etc/f' }],
  except: [],
  origin: { file: 'p.yaml', line: 1, column: 1 },
  ...more,
});
const of = (...rules: IrRule[]) => neededHooks({ irVersion: 1, rules });

// WD_PROGRAM(program, "hook", id, nargs, needs)
const header = readFileSync(new URL('../../../bpf/include/programs.h', import.meta.url), 'utf8');
const rows = [...header.matchAll(/WD_PROGRAM\(\w+, "(\w+)",([^"]*?)\)(?= \\|\n\/\*)/g)].map(
  ([, hook = '', rest = '']) => ({ hook, rest }),
);

describe('the hooks that a bundle needs', () => {
  it.each(OPERATIONS)('for %s are those of the programs', (operation) => {
    const listed = rows.filter(
      ({ rest }) =>
        rest.includes(`WD_NEED(WD_OP_${operation.toUpperCase()})`) &&
        !rest.includes('WD_NEED_IF_PRESENT'),
    );
    expect(new Set(HOOKS_OF[operation])).toEqual(new Set(listed.map(({ hook }) => hook)));
  });

  it('for any rule are those that the programs say so of', () => {
    const always = rows.filter(
      ({ rest }) => rest.includes('WD_NEED_ALL') && !rest.includes('WD_NEED_IF_PRESENT'),
    );
    expect(of(rule({ operations: ['link'] }))).toEqual(always.map(({ hook }) => hook).sort());
  });

  it('are among those that a publisher may require, which are all that serve an operation', () => {
    const serving = rows.filter(({ rest }) => !rest.includes('WD_NEED_NOTHING'));
    expect(KNOWN_HOOKS).toEqual([...new Set(serving.map(({ hook }) => hook))].sort());
  });

  it('are offered by a host that has all of its programs, and not by one that lacks one', () => {
    const told = rows.filter(({ rest }) => !rest.includes('WD_NEED_WHILE_ASKED'));
    const programs = told.map(({ hook }) => ({ hook, state: 'attached' as const }));
    const hooks = of(rule({ operations: [...OPERATIONS] }));
    expect(lackingHooks({ kernel: '6.1', hooks }, toOffer('6.1.0', programs))).toEqual([]);
    const without = programs.map((it) =>
      it.hook === 'sb_mount' ? { ...it, state: 'rejected' as const } : it,
    );
    expect(lackingHooks({ kernel: '6.1', hooks }, toOffer('6.1.0', without))).toEqual(['sb_mount']);
    expect(toOffer('6.1.0', [])).toEqual({ kernel: '6.1.0', hooks: [] });
  });

  it('are named once, in order, and only for rules that must not run without them', () => {
    const mounts = of(rule({}), rule({ operations: ['mount', 'read'] }));
    expect(mounts).toEqual([...new Set(mounts)].sort());
    expect(mounts).toContain('sb_mount');
    expect(of(rule({ mode: 'audit' }), rule({ onMissingHook: 'audit' }))).toEqual([]);
    expect(of()).toEqual([]);
  });
});
