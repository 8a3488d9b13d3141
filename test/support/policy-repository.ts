// A real Git repository with a policy in it, in a temporary folder, for tests of the publishing side.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_COMMITTER_NAME: 'author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
};

export const GIT_PATH = '/usr/bin/git';

export const POLICY = `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: protect-demo
  description: Nobody writes the demo file.
spec:
  mode: enforce
  rules:
    - id: demo-write
      reason: The demo file does not change.
      protect:
        - path: /srv/demo/secret
      deny: modify
`;

export const POLICY_TEST = `apiVersion: warder.dev/v1alpha1
kind: PolicyTest
tests:
  - name: nobody writes the demo file
    request: { operation: write, path: /srv/demo/secret }
    expect: deny
    rule: protect-demo/demo-write
  - request: { operation: read, path: /srv/demo/secret }
    expect: allow
`;

/** The publishing configuration of a test. */
export function publishConfig(repository: string, more = ''): string {
  return `apiVersion: warder.dev/v1alpha1
kind: PolicyRepository
name: demo
tenant: acme
channel: prod
repository: ${repository}
source:
  repository: https://git.example.com/acme/policies
  ref: refs/heads/main
lifetime: 30d
builder:
  id: https://git.example.com/acme/policies/publish
${more}`;
}

/** A Git repository that tests write to. */
export interface PolicyRepository {
  readonly dir: string;
  git(...args: string[]): string;
  /** Writes files and commits everything; answers the commit id. */
  commit(files: Readonly<Record<string, string>>): string;
  remove(): Promise<void>;
}

/** Makes an empty repository on branch `main`. */
export async function makePolicyRepository(): Promise<PolicyRepository> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-policies-'));
  const git = (...args: string[]) =>
    execFileSync(GIT_PATH, args, { cwd: dir, env: ENVIRONMENT, encoding: 'utf8', stdio: 'pipe' });
  git('init', '--quiet', '--initial-branch=main');
  return {
    dir,
    git,
    commit: (files) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dir, path)), { recursive: true });
        writeFileSync(join(dir, path), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', 'change');
      return git('rev-parse', 'HEAD').trim();
    },
    remove: () => rm(dir, { recursive: true }),
  };
}
