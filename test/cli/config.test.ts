// `warder config check` and `warder agent` on real files, and the example configurations of the documents.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentOf, expectCase, run } from '../support/cli.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-config-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Every configuration that a document shows, in a fenced block or in a here-document. */
function examples(document: string): readonly string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const found = text.matchAll(
    /^apiVersion: warder\.dev\/(?:agent|enforcer)\/v1\n(?:(?!```|YAML$).*\n)*/gm,
  );
  return [...found].map((it) => it[0]);
}

describe('warder config check', () => {
  it.each([
    'docs/quickstart.md',
    'docs/reference/agent-config.md',
    'docs/reference/enforcer-config.md',
  ])('accepts the examples of %s', async (document) => {
    const shown = examples(document);
    expect(shown.length).toBeGreaterThan(0);
    for (const [index, text] of shown.entries()) {
      const file = join(dir, `example-${index}.yaml`);
      writeFileSync(file, text);
      const printed = await run(['config', 'check', file, '-o', 'json']);
      expect(documentOf(printed), text).toMatchObject({ kind: 'ConfigCheck', ok: true });
    }
  });

  it.each([
    [
      'agent',
      'apiVersion: warder.dev/agent/v1\nreference: registry.example.com/policies:prod\nchannel: prod\n',
    ],
    [
      'agent-broken',
      'apiVersion: warder.dev/agent/v1\nreference: policies\nchanel: prod\npoll: { intervalMs: -1 }\n',
    ],
    [
      'enforcer-broken',
      'apiVersion: warder.dev/enforcer/v1\nrepository: 7\nsocket: { mode: 777 }\n',
    ],
    [
      'enforcer-sources',
      `apiVersion: warder.dev/enforcer/v1
repository: registry.example.com/policies
channel: prod
sources:
  - { name: team, repository: registry.example.com/team, channel: prod }
`,
    ],
    [
      'enforcer-sources-broken',
      `apiVersion: warder.dev/enforcer/v1
repository: registry.example.com/policies
channel: prod
sources:
  - { name: team, repository: registry.example.com/policies, channel: prod }
  - { name: warder-team, repository: registry.example.com/b, channel: prod }
  - { name: team, repository: registry.example.com/c, channel: prod }
`,
    ],
    ['stranger', 'apiVersion: v1\nkind: Pod\n'],
    ['no-yaml', '{'],
  ])('says what a file is, or every problem in it: %s', async (name, text) => {
    const file = `${name}.yaml`;
    writeFileSync(join(dir, file), text);
    const around = { cwd: dir, names: new Map([[dir, '/etc/warder']]) };
    const printed = await expectCase(`config-${name}`, ['config', 'check', file], around);
    const json = await run(['config', 'check', file, '-o', 'json'], around);
    expect(documentOf(json)).toMatchObject({ exit: printed.exit, file });
  });

  it('says that a file is not there', async () => {
    await expectCase('config-missing', ['config', 'check', '/nonexistent/agent.yaml']);
    await expectCase('agent-no-config', ['agent', '--config', '/nonexistent/agent.yaml']);
    const json = await run(['agent', '-c', '/nonexistent/agent.yaml', '-o', 'json']);
    expect(documentOf(json)).toMatchObject({ kind: 'AgentEnd', ok: false, exit: 2 });
  });
});
