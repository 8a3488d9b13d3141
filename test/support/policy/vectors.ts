// The golden vectors as the runners share them: policies/vectors/*.json, each naming policies of
// policies/vectors/policies/.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import { compile } from '../../../src/core/policy/compile.ts';
import type { PolicyIr } from '../../../src/core/policy/ir.ts';
import type { Request, Verdict } from '../../../src/core/policy/request.ts';
import { parsePolicyFile, toRequest } from '../../../src/wire/policy/parse.ts';
import { requestSchema } from '../../../src/wire/policy/schema.ts';

const FOLDER = new URL('../../../policies/vectors/', import.meta.url);

const vectorSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  cites: z.string().regex(/^[A-Z]+-[0-9]+$/),
  /** Whether the cited rule applies here, or is only nearly met. */
  side: z.enum(['for', 'against']),
  note: z.string().optional(),
  policy: z.array(z.string()).min(1),
  request: requestSchema,
  expect: z.strictObject({
    verdict: z.enum(['allow', 'audit', 'deny']),
    rule: z.string().nullable(),
    reason: z.enum(['rule', 'refer']).nullable(),
    errno: z.literal('EACCES').nullable(),
  }),
});

export interface Vector {
  readonly id: string;
  readonly cites: string;
  readonly side: 'for' | 'against';
  readonly policy: readonly string[];
  readonly request: Request;
  readonly expect: Verdict;
}

/** Reads every vector. */
export function readVectors(): readonly Vector[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const json: unknown = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));
      return z.array(vectorSchema).parse(json);
    })
    .map((vector) => ({ ...vector, request: toRequest(vector.request) }));
}

/** Compiles the policies that a vector names. */
export function compileNamed(names: readonly string[]): PolicyIr {
  const policies = names.map((name) => {
    const file = `policies/${name}.yaml`;
    const parsed = parsePolicyFile(file, readFileSync(new URL(file, FOLDER)));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    return parsed.value;
  });
  const compiled = compile(policies);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value;
}
