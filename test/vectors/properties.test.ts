// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildImage } from '../../src/core/image/build.ts';
import { compile } from '../../src/core/policy/compile.ts';
import { decide } from '../../src/core/policy/decide.ts';
import type { FilePolicy } from '../../src/core/policy/document.ts';
import type { PolicyIr } from '../../src/core/policy/ir.ts';
import { encodeIr, parseIr } from '../../src/wire/policy/ir.ts';
import { anyPolicies, anyPolicy, anyRequest } from '../support/policy/arbitraries.ts';
import { ImageModel } from '../support/policy/image-model.ts';
import { SyntheticHost } from '../support/policy/synthetic-host.ts';

function toIr(policies: readonly FilePolicy[]): PolicyIr {
  const compiled = compile(policies);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}

const SEVERITY = { allow: 0, audit: 1, deny: 2 };
const requests = fc.array(anyRequest, { minLength: 1, maxLength: 30 });

describe('for random policies and requests', () => {
  it('decide() equals lookups in the image', () => {
    fc.assert(
      fc.property(anyPolicies, requests, (policies, asked) => {
        const ir = toIr(policies);
        const host = new SyntheticHost();
        const image = buildImage(ir, host.resolve(ir, asked));
        if (!image.ok) throw new Error(image.error.message);
        const model = new ImageModel(ir, image.value);
        for (const request of asked) {
          expect(model.judge(request, host.observe(ir, request))).toEqual(decide(ir, request));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('the order of files, rules, objects and exemptions changes nothing', () => {
    const turn = (policies: readonly FilePolicy[]): FilePolicy[] =>
      [...policies].reverse().map((policy) => ({
        ...policy,
        rules: [...policy.rules].reverse().map((rule) => ({
          ...rule,
          protect: [...rule.protect].reverse(),
          deny: [...rule.deny].reverse(),
          except: [...rule.except].reverse(),
        })),
      }));
    fc.assert(
      fc.property(anyPolicies, requests, (policies, asked) => {
        const ir = toIr(policies);
        expect(toIr(turn(policies))).toEqual(ir);
        const unsorted: PolicyIr = { irVersion: 1, rules: [...ir.rules].reverse() };
        for (const request of asked) expect(decide(unsorted, request)).toEqual(decide(ir, request));
      }),
      { numRuns: 300 },
    );
  });

  it('adding rules that share no tree with a move never makes a verdict milder', () => {
    fc.assert(
      fc.property(anyPolicies, anyPolicy('zz'), requests, (policies, more, asked) => {
        const before = toIr(policies);
        const after = toIr([...policies, more]);
        for (const request of asked) {
          // DECIDE-4: a new tree at the destination may carry what was missing there, so a move or
          // link that REFER refused can become allowed; it is protected by the new rule instead.
          const old = decide(before, request);
          if (old.reason === 'refer') continue;
          expect(SEVERITY[decide(after, request).verdict]).toBeGreaterThanOrEqual(
            SEVERITY[old.verdict],
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the IR survives its canonical bytes', () => {
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        const renamed = policies.map((policy) => ({
          ...policy,
          rules: policy.rules.map((rule, index) => ({ ...rule, id: `r${index}` })),
        }));
        const ir = toIr(renamed);
        expect(parseIr(encodeIr(ir))).toEqual({ ok: true, value: ir });
      }),
      { numRuns: 100 },
    );
  });
});
