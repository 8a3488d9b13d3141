// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { baseline, CANARY_RULE } from '../policy/baseline.ts';
import type { IrRule, PolicyIr } from '../policy/ir.ts';
import { failure } from '../result.ts';
import { buildImage } from './build.ts';
import { spare } from './gaps.ts';
import type { PathFound, Resolution, Unresolved } from './resolution.ts';

const ROOT = { ino: 2n, sub: 0n, dev: 1, gen: 2 };
const FOUND: PathFound = {
  kind: 'found',
  names: [{ directories: [ROOT], name: new Uint8Array([0x66]), target: null }],
  linked: [],
  mountRoots: [],
  verity: null,
  earlier: [],
  unknown: null,
};
const LOOP: Unresolved = {
  kind: 'unresolved',
  failure: failure('stage/too-many-symlinks', 'a loop'),
};
const GONE = { kind: 'parent-missing', missing: '/mnt' } as const;
const LARGE = { ...FOUND, unknown: failure('stage/tree-too-large', 'too many entries') };

const rule = (id: string, paths: readonly string[], except: IrRule['except'] = []): IrRule => ({
  id,
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'because',
  operations: ['read'],
  objects: paths.map((path) => ({ kind: 'path', path })),
  except,
  origin: { file: 'p.yaml', line: 7, column: 3 },
});
const irOf = (...rules: IrRule[]): PolicyIr => ({ irVersion: 1, rules });
const facts = (...more: [string, PathFound | Unresolved | typeof GONE][]): Resolution =>
  new Map(more);
const ANY = () => true;

it('takes out what was not found, and says why, with the line of its rule', () => {
  const ir = irOf(rule('p/a', ['/mnt/f', '/f']), rule('p/b', ['/loop']), rule('p/c', ['/f']));
  const spared = spare(ir, facts(['/mnt/f', GONE], ['/f', FOUND], ['/loop', LOOP]), ANY);
  expect(spared.ir.rules.map((it) => it.objects.map(({ path }) => path))).toEqual([
    ['/f'],
    [],
    ['/f'],
  ]);
  expect(spared.gaps).toMatchObject([
    { path: '/mnt/f', missing: '/mnt', why: { code: 'stage/parent-missing', at: { line: 7 } } },
    { path: '/loop', missing: null, why: { code: 'stage/too-many-symlinks' } },
  ]);
});

it('keeps what was found in part, and tells a path once', () => {
  const ir = irOf(rule('p/a', ['/f']), rule('p/b', ['/f']));
  const spared = spare(ir, facts(['/f', LARGE]), ANY);
  expect(spared.ir).toEqual(ir);
  expect(spared.gaps).toEqual([{ path: '/f', missing: null, why: LARGE.unknown }]);
});

it('tells an exemption that nobody has now, but not one whose program is not there', () => {
  const ir = irOf(rule('p/a', ['/f'], [{ exe: '/loop' }, { parentExe: '/mnt/x' }]));
  const spared = spare(ir, facts(['/f', FOUND], ['/loop', LOOP], ['/mnt/x', GONE]), ANY);
  expect(spared.gaps.map(({ path }) => path)).toEqual(['/loop']);
  expect(buildImage(spared.ir, facts(['/f', FOUND], ['/loop', LOOP], ['/mnt/x', GONE])).ok).toBe(
    true,
  );
});

it('takes out nothing else than what may be left out, and nothing of Warder itself', () => {
  const resolution = facts(['/mnt/f', GONE], ['/canary', GONE]);
  const asked = irOf(rule('p/a', ['/mnt/f']));
  const spared = spare(asked, resolution, () => false);
  expect(spared).toEqual({ ir: asked, gaps: [] });
  expect(buildImage(spared.ir, resolution)).toMatchObject({
    error: { code: 'stage/parent-missing' },
  });
  const own = spare(baseline('/canary'), resolution, ANY);
  expect(own.gaps).toEqual([]);
  expect(own.ir.rules[0]).toMatchObject({ id: CANARY_RULE, objects: [{ path: '/canary' }] });
  expect(buildImage(own.ir, resolution).ok).toBe(false);
});
