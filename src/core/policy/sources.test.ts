// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyPolicies, anyRequest } from '../../../test/support/policy/arbitraries.ts';
import { LIMITS } from '../limits.ts';
import { compile, POLICY_RULES_MAX } from './compile.ts';
import { decide } from './decide.ts';
import { type IrRule, OBJECTS_MAX, type PolicyIr } from './ir.ts';
import type { Request } from './request.ts';
import {
  findExcess,
  findSourceConflicts,
  joinSources,
  MAIN_SOURCE,
  type SourceRules,
  sourceOfRule,
} from './sources.ts';

const SEVERITY = { allow: 0, audit: 1, deny: 2 };

const rule = (id: string, change: Partial<IrRule>): IrRule => ({
  id,
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'A test protects this.',
  operations: ['read'],
  objects: [{ kind: 'tree', path: '/a' }],
  except: [],
  origin: { file: 'a.yaml', line: 1, column: 1 },
  ...change,
});
const irOf = (...rules: readonly IrRule[]): PolicyIr => ({ irVersion: 1, rules });
const request = (change: Partial<Request>): Request => ({
  operation: 'read',
  path: '/a/x',
  exe: '/usr/bin/tool',
  ...change,
});

/** Leaves out, rule by rule, what a host would refuse. */
function withoutConflicts(parts: readonly SourceRules[]): readonly SourceRules[] {
  const [found] = findSourceConflicts(parts);
  if (found === undefined) return parts;
  const named = (source: string, { id }: IrRule) =>
    joinSources([{ source, ir: irOf(rule(id, {})) }]).rules[0]?.id;
  const rest = parts.map(({ source, ir }) => ({
    source,
    ir: irOf(...ir.rules.filter((it) => named(source, it) !== found.left)),
  }));
  return withoutConflicts(rest);
}

describe('rules of several sources', () => {
  it('deny together exactly what one of them denies, for random policies and requests', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(anyPolicies, { minLength: 2, maxLength: 3 }),
        fc.array(anyRequest, { minLength: 1, maxLength: 20 }),
        (sets, requests) => {
          const parts = withoutConflicts(
            sets.map((policies, index) => {
              const compiled = compile(policies);
              if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
              return { source: index === 0 ? MAIN_SOURCE : `team-${index}`, ir: compiled.value };
            }),
          );
          const joined = joinSources(parts);
          for (const it of requests) {
            const apart = parts.map(({ ir }) => SEVERITY[decide(ir, it).verdict]);
            expect(SEVERITY[decide(joined, it).verdict]).toBe(Math.max(...apart));
            compared += 1;
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(5000);
  });

  it('are told apart by their names, in any number', () => {
    const joined = joinSources([
      { source: MAIN_SOURCE, ir: irOf(rule('a/one', {}), rule('z/one', {})) },
      { source: 'team', ir: irOf(rule('a/one', {})) },
    ]);
    expect(joined.rules.map((it) => it.id)).toEqual(['a/one', 'team:a/one', 'z/one']);
    expect(joined.rules.map((it) => sourceOfRule(it.id))).toEqual(['', 'team', '']);
    expect(joinSources([])).toEqual(irOf());
  });

  it('keep what an exemption of the other opens closed', () => {
    const tool = { exe: '/usr/bin/tool' };
    const org = irOf(rule('org/a', {}));
    const team = irOf(rule('team/a', { except: [tool] }));
    const joined = joinSources([
      { source: MAIN_SOURCE, ir: org },
      { source: 'team', ir: team },
    ]);
    expect(decide(team, request({})).verdict).toBe('allow');
    expect(decide(joined, request({}))).toMatchObject({ verdict: 'deny', rule: 'org/a' });
  });

  it('conflict where a tree of one could take over what leaves a tree of the other', () => {
    const away = { operation: 'rename', to: '/b/x' } as const;
    const org = { source: MAIN_SOURCE, ir: irOf(rule('org/a', {})) };
    const other = (change: Partial<IrRule>) => ({
      source: 'team',
      ir: irOf(rule('team/b', { objects: [{ kind: 'tree', path: '/b' }], ...change })),
    });
    // Apart the organisation denies the move; together it would be let go.
    expect(decide(org.ir, request(away)).verdict).toBe('deny');
    expect(decide(joinSources([org, other({})]), request(away)).verdict).toBe('allow');
    expect(findSourceConflicts([org, other({})])).toEqual([
      { left: 'org/a', carrier: 'team:team/b' },
      { left: 'team:team/b', carrier: 'org/a' },
    ]);
    const read = ['read', 'create'] as const;
    expect(findSourceConflicts([org, other({ operations: [...read] })])).toEqual([
      { left: 'team:team/b', carrier: 'org/a' },
    ]);
    const closed = other({ operations: ['read', 'create', 'rename', 'link'] });
    expect(findSourceConflicts([org, closed])).toEqual([]);
    expect(findSourceConflicts([org, other({ mode: 'audit' })])).toEqual([
      { left: 'team:team/b', carrier: 'org/a' },
    ]);
    expect(findSourceConflicts([org, other({ operations: ['write'] })])).toEqual([]);
    expect(findSourceConflicts([org])).toEqual([]);
  });
});

describe('what a host holds of all sources', () => {
  const many = (source: string, rules: number, objects = 1): SourceRules => {
    const paths = Array.from({ length: objects }, (_, at) => ({
      kind: 'path' as const,
      path: `/p${at}`,
    }));
    const each = Array.from({ length: rules }, (_, at) => rule(`p/${at}`, { objects: paths }));
    return { source, ir: irOf(...each) };
  };
  const half = POLICY_RULES_MAX / 2;

  it('SOURCE-3 is bounded in rules', () => {
    expect(findExcess([many(MAIN_SOURCE, half), many('team', half)])).toBeNull();
    expect(findExcess([many(MAIN_SOURCE, half), many('team', half), many('x', 1)])).toEqual({
      what: 'rules',
      count: POLICY_RULES_MAX + 1,
      max: POLICY_RULES_MAX,
    });
  });

  it('SOURCE-3 is bounded in objects, each source being inside by itself', () => {
    const parts = [many(MAIN_SOURCE, 128, 1024), many('team', 128, 1024)];
    expect(findExcess(parts)).toBeNull();
    expect(findExcess([...parts, many('x', 1)])).toEqual({
      what: 'objects',
      count: OBJECTS_MAX + 1,
      max: OBJECTS_MAX,
    });
    // The smallest object that there is: no bundle reaches the bound alone.
    const smallest = JSON.stringify({ kind: 'path', path: '/p' }).length + 1;
    expect(LIMITS.fileBytesMax / smallest).toBeLessThan(OBJECTS_MAX);
  });
});
