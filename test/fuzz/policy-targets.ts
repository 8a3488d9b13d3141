// Policies, their tests, compiled policies and trust policies.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import { compile } from '../../src/core/policy/compile.ts';
import { lint } from '../../src/core/policy/lint.ts';
import { ok } from '../../src/core/result.ts';
import { encodeIr, parseIr } from '../../src/wire/policy/ir.ts';
import { parsePolicyFile, parsePolicyTestFile } from '../../src/wire/policy/parse.ts';
import { parseTrustPolicy } from '../../src/wire/trust.ts';
import { IR } from '../support/verify.ts';
import { same, type Target, text, word } from './target.ts';

/** Everything that is written in YAML, and what it is compiled to. */
export function policyTargets(publicKeyPem: string): readonly Target[] {
  const dir = new URL('../../policies/', import.meta.url);
  const files = readdirSync(dir).filter((it) => it.endsWith('.yaml'));
  const read = (isTest: boolean): Target['seeds'] => {
    const chosen = files.filter((it) => it.endsWith('.test.yaml') === isTest);
    const [first = '', ...more] = chosen.map((it) => readFileSync(new URL(it, dir), 'utf8'));
    return [shorten(first), ...more.map(shorten)];
  };
  const [rules, tests] = [read(false), read(true)];
  const key = { file: 'ci.pub', notBefore: '2026-01-01', notAfter: '2027-01-01' };
  const scope = {
    name: 'prod',
    scope: 'registry.example.com/policies',
    channels: ['prod'],
    require: { release: { minimumMatches: 1, anyOf: [{ id: 'ci', key }] } },
  };
  const trust = { apiVersion: 'warder.dev/trust/v1', version: 1, policies: [scope] };
  const verification = {
    verifier: 'https://verifier.example.com',
    levels: ['SLSA_BUILD_LEVEL_3'],
    maxAge: '24h',
    anyOf: [{ id: 'ci', key }],
  };
  const release = { ...scope.require.release, allOf: ['ci'] };
  const asking = { ...trust, policies: [{ ...scope, require: { release, verification } }] };
  return [
    {
      name: 'policy',
      form: 'lines',
      seeds: rules,
      run: (input) => {
        const read = parsePolicyFile('policies/fuzz.yaml', input);
        if (!read.ok) return word(read);
        const compiled = compile([read.value]);
        if (compiled.ok) same(parseIr(encodeIr(compiled.value)), compiled, 'a policy');
        return `${word(compiled)} ${lint([read.value]).length}`;
      },
    },
    {
      name: 'policy-test',
      form: 'lines',
      seeds: tests,
      run: (input) => {
        const read = parsePolicyTestFile('policies/fuzz.test.yaml', input);
        return read.ok ? `ok ${read.value.length}` : word(read);
      },
    },
    {
      name: 'ir',
      form: 'json',
      seeds: [encodeIr(IR)],
      run: (input) => {
        const read = parseIr(input);
        if (read.ok) same(parseIr(encodeIr(read.value)), read, 'a compiled policy');
        return word(read);
      },
    },
    {
      name: 'trust-policy',
      form: 'json',
      seeds: [
        text(trust),
        text(asking),
        Buffer.from(JSON.stringify(trust, null, 1).replaceAll('"', '')),
      ],
      run: (input) => {
        const read = parseTrustPolicy(input, 'trust.yaml', () => ok(publicKeyPem));
        if (!read.ok) return word(read);
        const vacuous = read.value.policies.some(
          ({ release }) =>
            release.minimumMatches < 1 || release.anyOf.length + release.identities.length < 1,
        );
        if (vacuous || read.value.policies.length === 0) throw new Error('a vacuous trust policy');
        return 'ok';
      },
    },
  ];
}

// Two rules or tests of a file are as good as ten, and changes meet them more often.
function shorten(file: string): Uint8Array {
  const lines = file.split('\n').filter((it) => !it.startsWith('#'));
  const begins = lines.flatMap((it, at) => (/^ +- (?:id|name): /.test(it) ? [at] : []));
  return Buffer.from(`${lines.slice(0, begins[2]).join('\n')}\n`);
}
