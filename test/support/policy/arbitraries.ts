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
const exemption: fc.Arbitrary<Exemption> = fc.oneof(
  fc.record({ exe }),
  fc.record({ uid }),
  fc.record({ exe, uid }),
);

const rule: fc.Arbitrary<Rule> = fc.record({
  id: fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), minLength: 1, maxLength: 4 }),
  reason: fc.constant('random'),
  protect: fc.array(object, { minLength: 1, maxLength: 3 }),
  deny: fc.uniqueArray(fc.constantFrom(...OPERATIONS), { minLength: 1, maxLength: 5 }),
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
    exe: fc.option(exe, { nil: undefined }),
    uid,
  })
  .map((it) => ({
    operation: it.operation,
    path: it.path,
    ...(it.operation === 'create' || it.identity === undefined ? {} : { identity: it.identity }),
    ...(it.operation === 'rename' || it.operation === 'link' ? { to: it.to } : {}),
    ...(it.operation === 'rename' ? { replaces: it.replaces } : {}),
    ...(it.exe === undefined ? {} : { exe: it.exe }),
    uid: it.uid,
  }));
