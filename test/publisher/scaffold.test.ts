// A repository that `warder init` wrote builds as it is, and its hook publishes what was pushed.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeNewFiles } from '../../src/adapters/git/new-files.ts';
import { createGitSource } from '../../src/adapters/git/source.ts';
import { buildBundle } from '../../src/publisher/build.ts';
import { initRepository } from '../../src/publisher/scaffold/files.ts';
import {
  GIT_PATH,
  makePolicyRepository,
  type PolicyRepository,
} from '../support/policy-repository.ts';
import { unwrap } from '../support/result.ts';

let repository: PolicyRepository;
beforeEach(async () => {
  repository = await makePolicyRepository();
});
afterEach(() => repository.remove());

const FILES = initRepository({
  name: 'base',
  tenant: 'acme',
  channel: 'prod',
  repository: 'registry.example.com/acme/policies',
  source: 'https://git.example.com/acme/policies',
});

it('lints without a finding, passes its tests and builds', async () => {
  unwrap(await writeNewFiles(repository.dir, FILES));
  repository.commit({});
  const source = createGitSource({ gitPath: GIT_PATH, dir: repository.dir });
  const built = await buildBundle({ source, revision: 'HEAD', previous: null });
  if (!built.ok) throw new Error(JSON.stringify(built.error, null, 2));
  expect(built.value.findings).toEqual([]);
  expect(built.value.report).toMatchObject({ failed: 0, untested: [] });
  expect(built.value.descriptor).toMatchObject({ name: 'base', version: 1, channel: 'prod' });
  expect(unwrap(await source.isDirty())).toBe(false);
});

it('touches nothing when one of the files is there', async () => {
  await writeFile(join(repository.dir, 'README.md'), 'mine');
  const written = await writeNewFiles(repository.dir, FILES);
  expect(written).toMatchObject({ ok: false, error: { code: 'publish/repository-exists' } });
  expect(await readFile(join(repository.dir, 'README.md'), 'utf8')).toBe('mine');
  await expect(stat(join(repository.dir, 'warder.yaml'))).rejects.toMatchObject({ code: 'ENOENT' });
});

it('the hook publishes pushes to main with their head, and nothing else', async () => {
  unwrap(await writeNewFiles(repository.dir, FILES));
  const commit = repository.commit({});
  const log = join(repository.dir, '.git/log');
  const warder = join(repository.dir, '.git/warder');
  await writeFile(warder, `#!/bin/sh\necho "$@" >> '${log}'\n`, { mode: 0o755 });
  const zero = '0'.repeat(40);
  execFileSync(join(repository.dir, 'hooks/post-receive'), {
    cwd: repository.dir,
    env: { PATH: process.env['PATH'], WARDER: warder },
    input: [
      `${zero} ${commit} refs/heads/other`,
      `${commit} ${zero} refs/heads/main`,
      `${zero} ${commit} refs/heads/main`,
      '',
    ].join('\n'),
  });
  const lines = (await readFile(log, 'utf8')).trim().split('\n');
  expect(lines.map((it) => it.split(' ')[0])).toEqual(['publish', 'head']);
  for (const line of lines) expect(line).toContain(`--commit ${commit}`);
});
