// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatRepository } from '../core/reference.ts';
import { parseAgentConfig, placesOf } from './config.ts';

const parse = (text: string) => parseAgentConfig(Buffer.from(text, 'utf8'), 'agent.yaml');
const MINIMAL = `apiVersion: warder.dev/agent/v1
reference: registry.example.com/policies/web:prod
channel: prod
`;

test('a minimal configuration gets documented defaults', () => {
  const config = parse(MINIMAL);
  if (!config.ok) throw new Error(config.error.message);
  expect(config.value).toMatchObject({
    channel: 'prod',
    stateDir: '/var/lib/warder/agent',
    poll: { intervalMs: 60_000, timeoutMs: 120_000, backoffMinMs: 1_000, backoffMaxMs: 900_000 },
    probes: [],
    onLostState: 'refuse',
  });
  expect(config.value.reference.tag).toBe('prod');
});

test('an agent of a named source has places of its own', () => {
  const config = parse(`${MINIMAL}source: team\n`);
  expect(config).toMatchObject({
    value: {
      source: 'team',
      stateDir: '/var/lib/warder/agent-team',
      statusFile: '/run/warder/agent-team/status.json',
    },
  });
  expect(parse(`${MINIMAL}source: ../x\n`)).toMatchObject({ error: { code: 'config/invalid' } });
});

test('the example of the reference page is a configuration, and the page names every field', () => {
  const page = readFileSync('docs/reference/agent-config.md', 'utf8');
  const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
  const config = parse(example);
  if (!config.ok) throw new Error(`${config.error.message} ${config.error.causes.join()}`);
  const fields = Object.entries(config.value).flatMap(([key, value]) =>
    key === 'poll' || key === 'registry'
      ? Object.keys(value as object).map((it) => `${key}.${it}`)
      : [key],
  );
  for (const field of fields) expect(page).toContain(`| \`${field}\``);
});

test.each([
  ['an unknown field', `${MINIMAL}intervall: 3\n`, 4, 1],
  ['a reference without a tag', MINIMAL.replace(':prod\n', '\n'), 2, 12],
  ['a reference by digest', MINIMAL.replace(':prod\n', `@sha256:${'a'.repeat(64)}\n`), 2, 12],
  ['a relative path', `${MINIMAL}stateDir: state\n`, 4, 11],
  ['a poll too often', `${MINIMAL}poll: { intervalMs: 5 }\n`, 4, 21],
  ['a relative probe program', `${MINIMAL}probes:\n  - name: web\n    command: [curl]\n`, 6, 15],
  ['another kind of file', 'apiVersion: warder.dev/enforcer/v1\n', 1, 13],
])('%s is refused with its place', (_what, text, line, column) => {
  const config = parse(text);
  if (config.ok) throw new Error('accepted');
  expect(config.error.code).toBe('config/invalid');
  expect(config.error.at).toEqual({ file: 'agent.yaml', line, column });
});

test('two probes of one name are refused: one would not be looked at', () => {
  const one = '  - { name: web, command: [/bin/true] }\n';
  expect(parse(`${MINIMAL}probes:\n${one}`).ok).toBe(true);
  expect(parse(`${MINIMAL}probes:\n${one}${one}`).ok).toBe(false);
});

test('mirrors are repositories in the grammar of references, each once and not the reference itself', () => {
  const of = (...repositories: string[]) =>
    parse(`${MINIMAL}mirrors:\n${repositories.map((it) => `  - repository: "${it}"\n`).join('')}`);
  const good = of('mirror.example.com/policies', 'oci-layout:/srv/bundles');
  if (!good.ok) throw new Error(good.error.message);
  expect(placesOf(good.value)).toEqual([
    good.value.reference.repository,
    { kind: 'registry', host: 'mirror.example.com', path: 'policies' },
    { kind: 'oci-layout', dir: '/srv/bundles' },
  ]);
  expect(good.value.mirrors[0]?.tokenRealms).toEqual([]);
  const origin = formatRepository(good.value.reference.repository);
  const twice = ['mirror.example.com/p', 'mirror.example.com/p'];
  for (const bad of [['a/b:prod'], ['-x/y'], ['M.example.com/p'], [origin], twice]) {
    expect([bad, of(...bad).ok]).toEqual([bad, false]);
  }
  expect(of(...Array.from({ length: 8 }, (_, at) => `m${at}.example.com/p`)).ok).toBe(false);
});

test('every problem is told, not only the first', () => {
  const config = parse('apiVersion: warder.dev/agent/v1\nchannel: ""\nlogLevel: loud\n');
  if (config.ok) throw new Error('accepted');
  expect(config.error.causes.length).toBe(2);
});
