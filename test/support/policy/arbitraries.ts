// Random policies and requests over a small world, so that they meet: few names, all depths to four.
//
// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import {
  type Exemption,
  type FilePolicy,
  OPERATIONS,
  type ProtectedObject,
  type Rule,
  type Scope,
} from '../../../src/core/policy/document.ts';
import type { Request } from '../../../src/core/policy/request.ts';

const AT = { file: 'random.yaml', line: 1, column: 1 };
const path = fc
  .array(fc.constantFrom('a', 'b', 'ä'), { minLength: 1, maxLength: 4 })
  .map((names) => `/${names.join('/')}`);
const exe = fc.constantFrom('/a', '/a/b', '/bin/x', '/bin/y');
const uid = fc.constantFrom(0, 33, 1000);
const object: fc.Arbitrary<ProtectedObject> = fc.record({
  kind: fc.constantFrom('path', 'tree'),
  path,
});
const digest = fc.constantFrom(`sha256:${'a'.repeat(64)}`);
const slice = fc.constantFrom('a.slice', 'b.slice');
const unit = fc.constantFrom('x.service', 'a.slice', 'y.scope');
const cgroup = fc
  .tuple(
    fc.array(slice, { maxLength: 2 }),
    fc.array(fc.oneof(unit, slice, fc.constant('ä')), { maxLength: 2 }),
  )
  .map(([slices, rest]) => `/${[...slices, ...rest].join('/')}`);
const group = cgroup.filter((it) => it !== '/');
const exemption: fc.Arbitrary<Exemption> = fc.oneof(
  fc.record({ exe }),
  fc.record({ uid }),
  fc.record({ exe, uid }),
  fc.record({ exe, digest }),
  fc.record({ unit }),
  fc.record({ cgroup: group }),
  fc.record({ parentExe: exe }),
  fc.record({ exe, uid, parentExe: exe }),
  fc.record({ exe, digest, uid, cgroup: group, parentExe: exe }),
  fc.record({ uid, unit }),
);
const scope: fc.Arbitrary<Scope | null> = fc.option(
  fc
    .record({
      units: fc.uniqueArray(unit, { maxLength: 2 }),
      cgroups: fc.uniqueArray(group, { maxLength: 2 }),
    })
    .filter(({ units, cgroups }) => units.length + cgroups.length > 0),
  { nil: null, freq: 2 },
);

const rule: fc.Arbitrary<Rule> = fc.record({
  id: fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), minLength: 1, maxLength: 4 }),
  reason: fc.constant('random'),
  protect: fc.array(object, { minLength: 1, maxLength: 3 }),
  deny: fc.uniqueArray(fc.constantFrom(...OPERATIONS), { minLength: 1, maxLength: 6 }),
  except: fc.array(exemption, { maxLength: 2 }),
  iKnowThisCanLockMeOut: fc.constant(false),
  at: fc.constant(AT),
});

/** A policy with rules of distinct ids. */
export const anyPolicy = (name: string): fc.Arbitrary<FilePolicy> =>
  fc.record({
    kind: fc.constant('FilePolicy' as const),
    name: fc.constant(name),
    description: fc.constant(''),
    mode: fc.constantFrom('audit', 'enforce'),
    onMissingHook: fc.constant('refuse' as const),
    scope,
    rules: fc.uniqueArray(rule, { minLength: 1, maxLength: 6, selector: (it) => it.id }),
    at: fc.constant(AT),
  });

/** Up to three policies. */
export const anyPolicies: fc.Arbitrary<readonly FilePolicy[]> = fc
  .tuple(anyPolicy('p'), anyPolicy('p-q'), anyPolicy('q'))
  .chain((all) => fc.subarray(all, { minLength: 1 }));

/** A request of any operation. */
export const anyRequest: fc.Arbitrary<Request> = fc
  .record({
    operation: fc.constantFrom(...OPERATIONS),
    path,
    identity: fc.option(path, { nil: undefined, freq: 3 }),
    to: path,
    replaces: fc.boolean(),
    access: fc.constantFrom('read' as const, 'write' as const),
    exe: fc.option(exe, { nil: undefined }),
    exeDigest: fc.option(digest, { nil: undefined }),
    uid,
    cgroup: fc.option(cgroup, { nil: undefined }),
    parentExe: fc.option(exe, { nil: undefined }),
  })
  .map((it) => ({
    operation: it.operation,
    path: it.path,
    ...(it.operation === 'create' || it.identity === undefined ? {} : { identity: it.identity }),
    ...(it.operation === 'rename' || it.operation === 'link' ? { to: it.to } : {}),
    ...(it.operation === 'rename' ? { replaces: it.replaces } : {}),
    ...(it.operation === 'use' ? { access: it.access } : {}),
    ...(it.exe === undefined ? {} : { exe: it.exe }),
    ...(it.exe === undefined || it.exeDigest === undefined ? {} : { exeDigest: it.exeDigest }),
    ...(it.cgroup === undefined ? {} : { cgroup: it.cgroup }),
    ...(it.parentExe === undefined ? {} : { parentExe: it.parentExe }),
    uid: it.uid,
  }));
