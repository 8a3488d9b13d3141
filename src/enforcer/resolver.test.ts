// SPDX-License-Identifier: Apache-2.0

import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeKernel } from '../../test/support/fake-kernel.ts';
import type { PathFound } from '../core/image/resolution.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { Mount } from './mounts.ts';
import { resolvePolicy } from './resolver.ts';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-resolver-')));
const kernel = new FakeKernel();
kernel.open();

beforeAll(() => {
  mkdirSync(join(dir, 'tree/below'), { recursive: true });
  writeFileSync(join(dir, 'file'), '');
  writeFileSync(join(dir, 'tree/below/linked'), '');
  linkSync(join(dir, 'tree/below/linked'), join(dir, 'outside'));
  writeFileSync(join(dir, 'tree/alone'), '');
  symlinkSync('tree/../second', join(dir, 'first'));
  symlinkSync(join(dir, 'file'), join(dir, 'second'));
  symlinkSync('loop', join(dir, 'loop'));
  symlinkSync('nowhere', join(dir, 'dangling'));
  symlinkSync('.', join(dir, 'dot'));
  symlinkSync('tree', join(dir, 'alias'));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function resolve(
  kind: 'path' | 'tree',
  name: string,
  scanEntriesMax = 100,
  mounts: Result<readonly Mount[]> = ok([]),
) {
  const ir: PolicyIr = {
    irVersion: 1,
    rules: [
      {
        id: 'a/one',
        mode: 'enforce',
        onMissingHook: 'refuse',
        reason: 'A test.',
        operations: ['write'],
        objects: [{ kind, path: join(dir, name) }],
        except: [],
        origin: { file: 'a.yaml', line: 1, column: 1 },
      },
    ],
  };
  const all = resolvePolicy(ir, {
    kernel,
    mounts: () => mounts,
    scanEntriesMax,
    earlier: () => [],
    hasGroups: () => true,
  });
  return all.ok ? { ok: true, value: all.value.get(join(dir, name)) } : all;
}

function found(kind: 'path' | 'tree', name: string): PathFound {
  const fact = resolve(kind, name);
  if (!('value' in fact) || fact.value?.kind !== 'found') throw new Error(JSON.stringify(fact));
  return fact.value;
}

const namesOf = (fact: PathFound) => fact.names.map((it) => Buffer.from(it.name).toString());
const inoOf = (name: string) => {
  const fact = kernel.resolve(join(dir, name), false);
  return fact.ok ? fact.value?.ino : undefined;
};

it('tells the name, every directory above it, and what the name has now', () => {
  const fact = found('path', 'tree/alone');
  expect(namesOf(fact)).toEqual(['alone']);
  expect(fact.names[0].directories).toHaveLength(join(dir, 'tree').split('/').length);
  expect(fact.names[0].directories[0].ino).toBe(inoOf('tree'));
  expect(fact.names[0].target?.ino).toBe(inoOf('tree/alone'));
});

it('follows links name by name, to the file at the end', () => {
  const fact = found('path', 'first');
  expect(namesOf(fact)).toEqual(['first', 'second', 'file']);
  expect(fact.names.map((it) => it.target?.ino)).toEqual(['first', 'second', 'file'].map(inoOf));
});

it('keeps the names of a link that leads nowhere', () => {
  const fact = found('path', 'dangling');
  expect(namesOf(fact)).toEqual(['dangling', 'nowhere']);
  expect(fact.names.at(-1)?.target).toBeNull();
});

it('gives a link to "." the name of the directory', () => {
  expect(namesOf(found('path', 'dot'))).toEqual(['dot', dir.split('/').at(-1)]);
});

it('resolves a name that does not exist yet, and refuses to guess at a missing directory', () => {
  expect(found('path', 'later').names[0].target).toBeNull();
  expect(resolve('path', 'no/such/file')).toMatchObject({
    value: { kind: 'parent-missing', missing: join(dir, 'no') },
  });
  expect(resolve('path', 'file/below')).toMatchObject({
    value: { kind: 'parent-missing', missing: join(dir, 'file') },
  });
});

it('gives up on a loop of links', () => {
  expect(resolve('path', 'loop')).toMatchObject({ error: { code: 'stage/too-many-symlinks' } });
});

it('finds files inside a tree that have names elsewhere, through a link to the tree as well', () => {
  for (const name of ['tree', 'alias']) {
    expect(found('tree', name).linked.map((it) => it.ino)).toEqual([inoOf('outside')]);
  }
  expect(found('path', 'tree').linked).toEqual([]);
});

it('bounds the scan', () => {
  expect(resolve('tree', 'tree', 2)).toMatchObject({ error: { code: 'stage/tree-too-large' } });
});

it('looks into a directory that is bound below a tree, and not into a whole filesystem', () => {
  const scansOf = (...roots: readonly string[]) => {
    const mounts = roots.map((root) => ({ id: 1, dev: 1, root, point: join(dir, 'tree/below') }));
    const before = kernel.calls.filter((it) => it === 'scan').length;
    const { value } = resolve('tree', 'tree', 100, ok(mounts)) as { value: PathFound };
    expect(value.mountRoots.map((it) => it.ino)).toEqual(roots.length ? [inoOf('tree/below')] : []);
    expect(value.linked.map((it) => it.ino)).toEqual([inoOf('outside')]);
    return kernel.calls.filter((it) => it === 'scan').length - before;
  };
  expect([scansOf(), scansOf('/'), scansOf('/part')]).toEqual([1, 1, 2]);
});

it('gives no tree without knowing what is mounted below', () => {
  const unknown = err(failure('stage/resolve-failed', 'a test'));
  expect(resolve('tree', 'tree', 100, unknown)).toMatchObject({
    error: { code: 'stage/resolve-failed' },
  });
});
