// The policies in policies/ are what people copy first: lint clean, compiled together, fully tested.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/core/policy/compile.ts';
import { lint } from '../../src/core/policy/lint.ts';
import { runPolicyTests } from '../../src/core/policy/run-tests.ts';
import { parsePolicyFile, parsePolicyTestFile } from '../../src/wire/policy/parse.ts';
import { jsonSchemas } from '../../src/wire/policy/schema.ts';

const FOLDER = new URL('../../policies/', import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const names = files.filter((name) => !name.endsWith('.test.yaml'));

function take<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const read = (name: string) => readFileSync(new URL(name, FOLDER));
const policies = names.map((name) => take(parsePolicyFile(name, read(name))));
const compileThose = (some: typeof policies) => take(compile(some));

describe('the ready-to-use policies', () => {
  it('are lint clean, alone', () => {
    expect(policies.flatMap((policy) => lint([policy]))).toEqual([]);
  });

  it('compile together, and say what they are for', () => {
    expect(compileThose(policies).rules.length).toBeGreaterThan(policies.length);
    expect(policies.filter(({ description }) => description.length < 80)).toEqual([]);
  });

  it.each(names)('%s passes its tests, and every rule is reached', (name) => {
    const tests = take(parsePolicyTestFile(name, read(name.replace('.yaml', '.test.yaml'))));
    const alone = compileThose(policies.filter(({ at }) => at.file === name));
    const report = runPolicyTests(alone, tests);
    expect(report.results.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.untested).toEqual([]);
    expect(report.failed).toBe(0);
  });

  // `vitest run --project fast test/vectors/ready -u` writes them again.
  it.each(Object.entries(jsonSchemas()))(
    '%s is generated from the schema',
    async (name, schema) => {
      await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
        fileURLToPath(new URL(`schema/${name}`, FOLDER)),
      );
    },
  );
});
