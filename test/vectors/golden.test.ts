// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildImage } from '../../src/core/image/build.ts';
import { decide } from '../../src/core/policy/decide.ts';
import { ImageModel } from '../support/policy/image-model.ts';
import { SyntheticHost } from '../support/policy/synthetic-host.ts';
import { compileNamed, readVectors } from '../support/policy/vectors.ts';

const vectors = readVectors();

// Numbered rules stand at the beginning of a line. No vector can show LIVE and FS rules, which are about a kernel
// and its file systems: the case suite does (test/vm/ids.ts). SOURCE rules say how policies come together before
// there is a decision: src/core/policy/sources.test.ts.
const semantics = readFileSync(new URL('../../docs/POLICY_SEMANTICS.md', import.meta.url), 'utf8');
const numbers = [...semantics.matchAll(/^\*\*([A-Z]+-[0-9]+)\*\*/gm)]
  .map((match) => match[1] ?? '')
  .filter((number) => !/^(LIVE|FS|SOURCE)-/.test(number));

describe('golden vectors', () => {
  it('are at least 300, each with an id of its own', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(300);
    expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
  });

  it('cite only rules of the semantics', () => {
    expect(vectors.filter(({ cites }) => !numbers.includes(cites)).map(({ id }) => id)).toEqual([]);
  });

  it.each(numbers)('show rule %s from both sides', (number) => {
    const sides = vectors.filter(({ cites }) => cites === number).map(({ side }) => side);
    expect(new Set(sides)).toEqual(new Set(['for', 'against']));
  });

  it.each(vectors)(
    '$cites $id: decide() gives what was written',
    ({ policy, request, expect: wanted }) => {
      expect(decide(compileNamed(policy), request)).toEqual(wanted);
    },
  );

  it.each(vectors)(
    '$cites $id: lookups in the image give the same',
    ({ policy, request, expect: wanted }) => {
      const ir = compileNamed(policy);
      const host = new SyntheticHost();
      const image = buildImage(ir, host.resolve(ir, [request]));
      if (!image.ok) throw new Error(image.error.message);
      expect(new ImageModel(ir, image.value).judge(request, host.observe(ir, request))).toEqual(
        wanted,
      );
    },
  );
});
