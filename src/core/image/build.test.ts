// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { baseline } from '../policy/baseline.ts';
import type { IrRule, PolicyIr } from '../policy/ir.ts';
import { buildImage } from './build.ts';
import type { GenerationImage, ImageObject } from './image.ts';
import {
  type Identity,
  type NameFact,
  type PathFound,
  planResolution,
  type Resolution,
} from './resolution.ts';

const id = (ino: number): Identity => ({ ino: BigInt(ino), sub: 0n, dev: 1, gen: ino });
const ROOT = id(2);
const ETC = id(10);
const RUN = id(20);

const name = (
  text: string,
  target: number | null,
  ...directories: [Identity, ...Identity[]]
): NameFact => ({
  directories,
  name: new TextEncoder().encode(text),
  target: target === null ? null : id(target),
});
const found = (names: [NameFact, ...NameFact[]], more: Partial<PathFound> = {}): PathFound => ({
  kind: 'found',
  names,
  linked: [],
  mountRoots: [],
  verity: null,
  earlier: [],
  unknown: null,
  ...more,
});

const rule = (more: Partial<IrRule>): IrRule => ({
  id: 'p/r',
  mode: 'enforce',
  onMissingHook: 'refuse',
  reason: 'because',
  operations: ['read'],
  objects: [{ kind: 'path', path: '/etc/f' }],
  except: [],
  origin: { file: 'p.yaml', line: 1, column: 1 },
  ...more,
});
const irOf = (...rules: IrRule[]): PolicyIr => ({ irVersion: 1, rules });

function build(ir: PolicyIr, resolution: Resolution): GenerationImage {
  const image = buildImage(ir, resolution);
  if (!image.ok) throw new Error(JSON.stringify(image.error));
  return image.value;
}

const objectOf = (image: GenerationImage, ino: number): ImageObject | undefined =>
  image.objects.find(({ identity }) => identity.ino === BigInt(ino))?.object;
const nameOf = (image: GenerationImage, text: string): ImageObject | undefined =>
  image.names.find((row) => new TextDecoder().decode(row.name) === text)?.object;
const setOf = (image: GenerationImage, label: number | undefined) => image.labels[label ?? 0];

const plain = new Map([['/etc/f', found([name('f', 30, ETC, ROOT)])]]);

describe('an image', () => {
  it('has a path by name and by identity, and says that its directory has names', () => {
    const image = build(irOf(rule({})), plain);
    expect(setOf(image, objectOf(image, 30)?.self)).toBe(1n);
    expect(setOf(image, nameOf(image, 'f')?.self)).toBe(1n);
    expect(objectOf(image, 10)).toMatchObject({ hasNames: true, ancestor: 0 });
    expect(image).toMatchObject({ rules: 1, enforce: 1n, exempt: [] });
    expect(image.op.slice(0, 3)).toEqual([0n, 1n, 0n]);
  });

  it('has a name without a file', () => {
    const image = build(irOf(rule({})), new Map([['/etc/f', found([name('f', null, ETC, ROOT)])]]));
    expect(image.objects.map(({ identity }) => identity)).toEqual([ETC]);
    expect(setOf(image, nameOf(image, 'f')?.self)).toBe(1n);
  });

  it('marks every directory above for rules that mind losing it, and for no others', () => {
    for (const operations of [['rename'], ['delete']] as const) {
      const image = build(irOf(rule({ operations })), plain);
      expect(setOf(image, objectOf(image, 10)?.ancestor)).toBe(1n);
      expect(setOf(image, objectOf(image, 2)?.ancestor)).toBe(1n);
    }
    const image = build(irOf(rule({ operations: ['write'] })), plain);
    expect(objectOf(image, 2)).toBeUndefined();
  });

  it('covers every link of a symlink chain and what it leads to', () => {
    const chain = found([name('f', 31, ETC, ROOT), name('target', 32, RUN, ROOT)]);
    const image = build(irOf(rule({ operations: ['rename'] })), new Map([['/etc/f', chain]]));
    for (const ino of [31, 32]) expect(setOf(image, objectOf(image, ino)?.self)).toBe(1n);
    for (const text of ['f', 'target']) expect(setOf(image, nameOf(image, text)?.self)).toBe(1n);
    for (const ino of [10, 20]) expect(objectOf(image, ino)?.hasNames).toBe(true);
    expect(setOf(image, objectOf(image, 20)?.ancestor)).toBe(1n);
  });

  it('has a tree with its hard-linked files and mount roots', () => {
    const fact = found([name('f', 30, ETC, ROOT)], { linked: [id(40)], mountRoots: [id(41)] });
    const ir = irOf(rule({ objects: [{ kind: 'tree', path: '/etc/f' }] }));
    const image = build(ir, new Map([['/etc/f', fact]]));
    expect(objectOf(image, 30)).toMatchObject({ self: 0 });
    expect(setOf(image, objectOf(image, 30)?.tree)).toBe(1n);
    expect(setOf(image, nameOf(image, 'f')?.tree)).toBe(1n);
    expect(setOf(image, objectOf(image, 40)?.self)).toBe(1n);
    expect(setOf(image, objectOf(image, 41)?.tree)).toBe(1n);
    expect(planResolution(ir)).toEqual([
      { path: '/etc/f', scan: true, measure: false, program: false },
    ]);
  });

  it('does not look inside the directory of the canary', () => {
    const plan = planResolution(baseline('/run/canary'));
    expect(plan).toEqual([{ path: '/run/canary', scan: false, measure: false, program: false }]);
  });

  it('shares labels between equal sets', () => {
    const image = build(
      irOf(
        rule({}),
        rule({ id: 'p/s', mode: 'audit', objects: [{ kind: 'path', path: '/etc/f' }] }),
      ),
      plain,
    );
    expect(image.labels).toEqual([0n, 3n]);
    expect(image.enforce).toBe(1n);
  });

  it('is refused when a protected path has no directory', () => {
    const result = buildImage(
      irOf(rule({})),
      new Map([['/etc/f', { kind: 'parent-missing', missing: '/etc' }]]),
    );
    expect(result.ok ? 'ok' : result.error.code).toBe('stage/parent-missing');
  });
});

describe('exemptions in an image', () => {
  const exeFact = (ino: number, text: string) => found([name(text, ino, RUN, ROOT)]);
  const facts = (
    ...more: [string, Resolution extends ReadonlyMap<string, infer V> ? V : never][]
  ) => new Map([...plain, ...more]);

  it('have a row per class and user, and the row that says that there are classes', () => {
    const except = [{ uid: 3 }, { exe: '/run/x' }, { exe: '/run/x', uid: 4 }];
    const image = build(irOf(rule({ except })), facts(['/run/x', exeFact(50, 'x')]));
    expect(image.exempt.map((row) => [row.exe, row.uid, setOf(image, row.label)])).toEqual([
      [null, null, 0n],
      [null, 3, 1n],
      [1, null, 1n],
      [1, 4, 1n],
    ]);
    expect(objectOf(image, 50)?.exe).toBe(1);
    expect(nameOf(image, 'x')?.exe).toBe(1);
    expect(objectOf(image, 20)?.hasNames).toBe(true);
  });

  it('have no such row when only users are exempt', () => {
    const image = build(irOf(rule({ except: [{ uid: 3 }] })), plain);
    expect(image.exempt).toEqual([{ exe: null, parent: null, group: null, uid: 3, label: 1 }]);
  });

  it('give a file that is two programs both exemptions, and each name its own', () => {
    const ir = irOf(
      rule({ except: [{ exe: '/run/a' }] }),
      rule({ id: 'p/s', except: [{ exe: '/run/b' }] }),
    );
    const image = build(ir, facts(['/run/a', exeFact(50, 'a')], ['/run/b', exeFact(50, 'b')]));
    const exempt = (exe: number | undefined) =>
      setOf(image, image.exempt.find((row) => row.exe === exe)?.label);
    expect(exempt(objectOf(image, 50)?.exe)).toBe(3n);
    expect(exempt(nameOf(image, 'a')?.exe)).toBe(1n);
    expect(exempt(nameOf(image, 'b')?.exe)).toBe(2n);
  });

  it('give a symlinked program the class of its target, and the link itself none', () => {
    const fact = found([name('x', 51, RUN, ROOT), name('y', 52, ETC, ROOT)]);
    const image = build(irOf(rule({ except: [{ exe: '/run/x' }] })), facts(['/run/x', fact]));
    expect(objectOf(image, 52)?.exe).toBe(1);
    expect(objectOf(image, 51)).toBeUndefined();
    expect(nameOf(image, 'y')?.exe).toBe(1);
  });

  it('with a digest are for the measured file only, under whatever name', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const ir = irOf(rule({ except: [{ exe: '/run/x', digest }] }));
    const fact = (verity: string | null) =>
      found([name('x', 50, RUN, ROOT)], { verity, earlier: [id(51)] });
    const image = build(ir, facts(['/run/x', fact(digest)]));
    expect(objectOf(image, 50)?.exe).toBe(1);
    expect([objectOf(image, 51), nameOf(image, 'x')]).toEqual([undefined, undefined]);
    expect(planResolution(ir)).toContainEqual({
      path: '/run/x',
      scan: false,
      measure: true,
      program: true,
    });
    expect(build(ir, facts(['/run/x', fact(null)])).exempt).toEqual([]);
  });

  it('stay with the files that a program was before, while they run', () => {
    const fact = found([name('x', 50, RUN, ROOT)], { earlier: [id(51), id(52)] });
    const image = build(irOf(rule({ except: [{ exe: '/run/x' }] })), facts(['/run/x', fact]));
    for (const ino of [50, 51, 52]) expect(objectOf(image, ino)?.exe).toBe(1);
  });

  it('know control groups and units as names, and programs of parents as classes', () => {
    const except = [
      { unit: 'a.service' },
      { cgroup: '/m.slice/x' },
      { parentExe: '/run/x', uid: 2 },
    ];
    const scope = { units: ['b.service'], cgroups: ['/m.slice'] };
    const image = build(irOf(rule({ except, scope })), facts(['/run/x', exeFact(50, 'x')]));
    expect(image.scoped).toBe(1n);
    expect(
      image.groups.map(({ scope: label, ...row }) => ({ ...row, scope: setOf(image, label) })),
    ).toEqual([
      { node: 1, name: 'm.slice', next: 3, group: 0, scope: 1n },
      { node: 3, name: 'x', next: 0, group: 1, scope: 0n },
      { node: 2, name: 'a.service', next: 0, group: 2, scope: 0n },
      { node: 2, name: 'b.service', next: 0, group: 0, scope: 1n },
    ]);
    expect(image.exempt.map(({ label, ...row }) => row)).toEqual([
      { exe: null, parent: null, group: null, uid: null },
      { exe: null, parent: null, group: 2, uid: null },
      { exe: null, parent: null, group: 1, uid: null },
      { exe: null, parent: 1, group: null, uid: 2 },
    ]);
  });

  it('are empty for a program whose directory is missing', () => {
    const image = build(
      irOf(rule({ except: [{ exe: '/opt/x' }] })),
      facts(['/opt/x', { kind: 'parent-missing', missing: '/opt' }]),
    );
    expect(image.exempt).toEqual([]);
  });
});
