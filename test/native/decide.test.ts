// The same vectors and the same random cases, in C under the sanitizers and in the kernel's interpreter
// of the same text. The runners are built by test/vectors/Makefile.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/core/policy/compile.ts';
import { decide } from '../../src/core/policy/decide.ts';
import { anyPolicies, anyRequest } from '../support/policy/arbitraries.ts';
import {
  type Asked,
  type RunnerVerdict,
  runRunner,
  toRunnerVerdict,
} from '../support/policy/vector-pack.ts';
import { compileNamed, readVectors, type Vector } from '../support/policy/vectors.ts';

const PACKS = 40;
const REQUESTS_PER_PACK = 60;
const SEED = 20_260_101; // fixed: both runners see the same 2,400 cases, and a failure repeats

const built = (name: string) =>
  fileURLToPath(new URL(`../../build/vectors/${name}`, import.meta.url));
const groups = [...byPolicy().values()];
const isRoot = process.getuid?.() === 0;

const runners = [
  { name: 'decide_native', path: built('decide_native'), refusal: null },
  {
    name: 'decide_kernel',
    path: built('decide_kernel'),
    refusal: isRoot ? null : 'loading a BPF program needs root',
  },
];

describe.each(runners)('$name', ({ path, refusal }) => {
  const missing = existsSync(path) ? null : `${path} is not built`;
  const why = refusal ?? missing;

  it('is built', () => {
    expect(missing).toBeNull();
  });

  let golden: readonly (readonly RunnerVerdict[])[] = [];

  beforeAll(() => {
    if (why === null) golden = runRunner(path, groups.map(toAsked));
  });

  it.for(groups.map((vectors, at) => [vectors[0]?.policy.join(' + '), vectors, at] as const))(
    'gives the golden verdicts for %s',
    ([, vectors, at], { skip }) => {
      skip(why !== null, why ?? '');
      const wanted = vectors.map((vector) => toRunnerVerdict(vector.expect));
      expect(label(vectors, golden[at] ?? [])).toEqual(label(vectors, wanted));
    },
  );

  it('agrees with decide() on random policies and requests', ({ skip }) => {
    skip(why !== null, why ?? '');
    const packs = randomPacks();
    const said = runRunner(path, packs);
    for (const [at, { ir, requests }] of packs.entries()) {
      const wanted = requests.map((request) => toRunnerVerdict(decide(ir, request)));
      const differing = requests.filter((_, index) => !same(said[at]?.[index], wanted[index]));
      expect(differing.map((request) => ({ request, rules: ir.rules }))).toEqual([]);
      expect(said[at]).toEqual(wanted);
    }
  });
});

function toAsked(vectors: readonly Vector[]): Asked {
  return {
    ir: compileNamed(vectors[0]?.policy ?? []),
    requests: vectors.map(({ request }) => request),
  };
}

// Files with links are found per generation, so requests of one policy share an image.
function byPolicy(): Map<string, Vector[]> {
  const groups = new Map<string, Vector[]>();
  for (const vector of readVectors()) {
    const key = vector.policy.join(' + ');
    groups.set(key, [...(groups.get(key) ?? []), vector]);
  }
  return groups;
}

function randomPacks(): Asked[] {
  const policies = fc.sample(anyPolicies, { numRuns: PACKS, seed: SEED });
  const requests = fc.sample(anyRequest, { numRuns: PACKS * REQUESTS_PER_PACK, seed: SEED + 1 });
  return policies.map((some, at) => {
    const compiled = compile(some);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
    return {
      ir: compiled.value,
      requests: requests.slice(at * REQUESTS_PER_PACK, (at + 1) * REQUESTS_PER_PACK),
    };
  });
}

function label<T>(vectors: readonly Vector[], verdicts: readonly T[]): Record<string, T> {
  return Object.fromEntries(vectors.map(({ id }, at) => [id, verdicts[at] as T]));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
