// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { baseline, CANARY_RULE, withBaseline } from './baseline.ts';
import { compile, POLICY_RULES_MAX } from './compile.ts';
import type { FilePolicy, Rule } from './document.ts';
import { OPERATIONS } from './document.ts';
import type { PolicyIr } from './ir.ts';

const AT = { file: 'p.yaml', line: 3, column: 5 };

const rule = (id: string, more: Partial<Rule> = {}): Rule => ({
  id,
  reason: 'because',
  protect: [{ kind: 'path', path: '/srv/file' }],
  deny: ['read'],
  except: [],
  iKnowThisCanLockMeOut: false,
  at: AT,
  ...more,
});

const policy = (name: string, ...rules: Rule[]): FilePolicy => ({
  kind: 'FilePolicy',
  name,
  description: '',
  mode: 'enforce',
  onMissingHook: 'refuse',
  scope: null,
  rules,
  at: AT,
});

function codes(...policies: FilePolicy[]): string[] {
  const compiled = compile(policies);
  return compiled.ok ? [] : compiled.error.map(({ code }) => code);
}

function take(...policies: FilePolicy[]): PolicyIr {
  const compiled = compile(policies);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}

describe('compile', () => {
  it('sorts rules by the bytes of policy/rule', () => {
    const ir = take(
      policy('b', rule('a')),
      policy('a', rule('z'), rule('b')),
      policy('a-b', rule('c')),
    );
    expect(ir.rules.map(({ id }) => id)).toEqual(['a-b/c', 'a/b', 'a/z', 'b/a']);
  });

  it('sorts objects, operations and exemptions, and drops repeats', () => {
    const messy = rule('r', {
      deny: ['execute', 'read', 'execute'],
      protect: [
        { kind: 'tree', path: '/b' },
        { kind: 'tree', path: '/a' },
        { kind: 'path', path: '/a' },
        { kind: 'tree', path: '/b' },
      ],
      except: [{ exe: '/x', uid: 2 }, { exe: '/x' }, { uid: 10 }, { uid: 9 }, { exe: '/x' }],
    });
    expect(take(policy('p', messy)).rules[0]).toEqual({
      id: 'p/r',
      mode: 'enforce',
      onMissingHook: 'refuse',
      reason: 'because',
      operations: ['read', 'execute'],
      objects: [
        { kind: 'path', path: '/a' },
        { kind: 'tree', path: '/a' },
        { kind: 'tree', path: '/b' },
      ],
      except: [{ uid: 9 }, { uid: 10 }, { exe: '/x' }, { exe: '/x', uid: 2 }],
      origin: AT,
    });
  });

  it('refuses duplicates, reserved names and too many rules, all at once', () => {
    const many = Array.from({ length: POLICY_RULES_MAX }, (_, at) => rule(`r${at}`));
    expect(codes(policy('p', ...many))).toEqual([]);
    expect(
      codes(policy('p', ...many), policy('p', rule('a'), rule('a')), policy('warder-x', rule('a'))),
    ).toEqual([
      'policy/duplicate-id',
      'policy/duplicate-id',
      'policy/reserved-name',
      'policy/too-many-rules',
    ]);
  });
});

describe('the baseline', () => {
  it('denies everything in the canary directory', () => {
    const [canary] = baseline('/run/warder/canary').rules;
    expect(canary).toMatchObject({
      id: CANARY_RULE,
      mode: 'enforce',
      objects: [{ kind: 'tree', path: '/run/warder/canary' }],
    });
    // Every operation but `use`, whose hook is attached for bundles only.
    expect(canary?.operations).toEqual(OPERATIONS.filter((it) => it !== 'use'));
  });

  it('joins in order, and never with rules that pretend to be it', () => {
    const ir = take(policy('zz', rule('a')), policy('a', rule('a')));
    expect(withBaseline(ir, '/c').rules.map(({ id }) => id)).toEqual(['a/a', CANARY_RULE, 'zz/a']);
    expect(() => withBaseline(baseline('/c'), '/c')).toThrow('invariant');
  });
});
