// The git adapter on real repositories: committed content only, and nothing in a repository runs.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/adapters/git/source.ts';
import { versionOf } from '../../src/core/publish/commit.ts';
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

const open = (dir = repository.dir) => createGitSource({ gitPath: GIT_PATH, dir });
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

describe('the version of a commit', () => {
  it('is the length of its first-parent line, or its tag vN', async () => {
    repository.commit({ a: '1' });
    repository.git('checkout', '--quiet', '-b', 'side');
    repository.commit({ b: '1' });
    repository.commit({ b: '2' });
    repository.git('checkout', '--quiet', 'main');
    repository.git('merge', '--quiet', '--no-ff', '--message', 'merge', 'side');
    const counted = unwrap(await open().commit('HEAD'));
    expect(unwrap(versionOf(counted))).toBe(2);
    repository.git('tag', 'v7');
    repository.git('tag', 'v08');
    repository.git('tag', 'release');
    expect(unwrap(versionOf(unwrap(await open().commit('main'))))).toBe(7);
    repository.git('tag', 'v9');
    expect(versionOf(unwrap(await open().commit('main')))).toMatchObject({
      error: { code: 'publish/version-ambiguous' },
    });
  });

  it('is refused in a shallow clone, where it could not be counted', async () => {
    repository.commit({ a: '1' });
    repository.commit({ a: '2' });
    const dir = await mkdtemp(join(tmpdir(), 'warder-shallow-'));
    try {
      repository.git('clone', '--quiet', '--depth=1', `file://${repository.dir}`, join(dir, 'c'));
      const facts = unwrap(await open(join(dir, 'c')).commit('HEAD'));
      expect(versionOf(facts)).toMatchObject({ error: { code: 'publish/shallow-history' } });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('the files of a commit', () => {
  it('are those that are committed, whatever lies in the work tree', async () => {
    const commit = repository.commit({ 'policies/a.yaml': 'committed', 'other/b.yaml': 'x' });
    await writeFile(join(repository.dir, 'policies/a.yaml'), 'changed');
    expect(unwrap(await open().isDirty())).toBe(true);
    const files = unwrap(await open().files(commit, 'policies'));
    expect(files.map((file) => [file.path, text(file.bytes)])).toEqual([
      ['policies/a.yaml', 'committed'],
    ]);
  });

  it('keep names that need quoting and bytes that are no text', async () => {
    const name = 'policies/a "b"\n\u00fc.yaml';
    const commit = repository.commit({ [name]: '\0\n\n', 'policies/empty.yaml': '' });
    const files = unwrap(await open().files(commit, 'policies'));
    expect(files.map((file) => [file.path, text(file.bytes)])).toEqual([
      [name, '\0\n\n'],
      ['policies/empty.yaml', ''],
    ]);
  });

  it('may not be symbolic links', async () => {
    repository.commit({ 'policies/a.yaml': 'x' });
    await symlink('/etc/passwd', join(repository.dir, 'policies/link.yaml'));
    const commit = repository.commit({});
    const files = await open().files(commit, 'policies');
    expect(files).toMatchObject({ ok: false, error: { code: 'publish/path-unsafe' } });
  });
});

describe('a repository that is not what it should be', () => {
  it('R02 revisions that look like options or are no names are refused', async () => {
    repository.commit({ a: '1' });
    for (const revision of ['--upload-pack=x', '-h', '', 'a b', 'HEAD:a', '@{-1}', 'nope', 'v\0']) {
      expect(await open().commit(revision)).toMatchObject({
        ok: false,
        error: { code: 'publish/not-a-repository' },
      });
    }
  });

  it('a folder without Git is publish/not-a-repository', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'warder-nogit-'));
    try {
      expect(await open(dir).commit('HEAD')).toMatchObject({
        error: { code: 'publish/not-a-repository' },
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('cannot make git run a program of its own', async () => {
    const commit = repository.commit({ 'policies/a.yaml': 'x' });
    const ran = join(repository.dir, '.git/ran');
    const program = join(repository.dir, '.git/program');
    await writeFile(program, `#!/bin/sh\ntouch '${ran}'\n`, { mode: 0o755 });
    for (const key of ['core.fsmonitor', 'core.pager', 'core.editor', 'core.sshCommand']) {
      repository.git('config', key, program);
    }
    const source = open();
    unwrap(await source.commit('HEAD'));
    unwrap(await source.files(commit, 'policies'));
    unwrap(await source.isDirty());
    expect(existsSync(ran)).toBe(false);
  });
});
