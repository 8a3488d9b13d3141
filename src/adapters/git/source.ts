// A policy repository as Git has it, at a commit. Reads objects, never the work tree, so it works the
// same in a clone and in the bare repository of a post-receive hook.
//
// SPDX-License-Identifier: Apache-2.0

import { LIMITS } from '../../core/limits.ts';
import type { CommitFacts, SourceFile } from '../../core/publish/commit.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { SourcePort } from '../../ports.ts';
import { quote } from '../../wire/zod-words.ts';
import { type GitOptions, runGit } from './run.ts';

const TEXT_BYTES_MAX = 1024 * 1024;
const REVISION = /^[A-Za-z0-9_][A-Za-z0-9_./~^-]{0,250}$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const BLOB_MODES = new Set(['100644', '100755']);

/** Makes the port of one repository. */
export function createGitSource(options: GitOptions): SourcePort {
  return {
    commit: (revision) => readCommit(options, revision),
    files: (commit, path) => readFiles(options, commit, path),
    isDirty: async () => {
      const bare = await text(options, ['rev-parse', '--is-bare-repository']);
      if (!bare.ok) return bare;
      if (bare.value.trim() === 'true') return ok(false);
      const status = await text(options, ['status', '--porcelain', '--ignore-submodules=all']);
      return status.ok ? ok(status.value !== '') : status;
    },
  };
}

async function text(options: GitOptions, args: readonly string[]): Promise<Result<string>> {
  const printed = await runGit(options, args, TEXT_BYTES_MAX);
  return printed.ok ? ok(new TextDecoder().decode(printed.value)) : printed;
}

async function readCommit(options: GitOptions, revision: string): Promise<Result<CommitFacts>> {
  if (!REVISION.test(revision)) return noCommit(revision, ['not the name of a commit']);
  const found = await text(options, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]);
  if (!found.ok) return noCommit(revision, found.error.causes);
  const commit = found.value.trim();
  if (!COMMIT.test(commit)) return noCommit(revision, ['git names no commit']);
  const seconds = await text(options, ['show', '--no-patch', '--format=%ct', commit]);
  if (!seconds.ok) return seconds;
  const tags = await text(options, ['tag', '--points-at', commit]);
  if (!tags.ok) return tags;
  const shallow = await text(options, ['rev-parse', '--is-shallow-repository']);
  if (!shallow.ok) return shallow;
  const count = await text(options, ['rev-list', '--count', '--first-parent', commit]);
  if (!count.ok) return count;
  return ok({
    commit,
    committedAtMs: Number(seconds.value.trim()) * 1000,
    firstParentCount: shallow.value.trim() === 'false' ? Number(count.value.trim()) : null,
    tags: tags.value.split('\n').filter((tag) => tag !== ''),
  });
}

function noCommit(revision: string, causes: readonly string[]): Result<never> {
  const what = `there is no commit ${quote(revision)}`;
  return err(failure('publish/not-a-repository', what, { causes }));
}

async function readFiles(
  options: GitOptions,
  commit: string,
  path: string,
): Promise<Result<readonly SourceFile[]>> {
  if (!COMMIT.test(commit)) return noCommit(commit, ['not a full commit id']);
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit, '--', path];
  const listed = await text(options, args);
  if (!listed.ok) return listed;
  const entries: { path: string; object: string }[] = [];
  for (const line of listed.value.split('\0').filter((one) => one !== '')) {
    const [facts = '', name = ''] = line.split('\t', 2);
    const [mode = '', , object = ''] = facts.split(' ');
    if (!BLOB_MODES.has(mode)) {
      const what = `${quote(name)} is a link or a submodule`;
      const hints = ['commit the file itself'];
      return err(failure('publish/path-unsafe', what, { hints }));
    }
    entries.push({ path: name, object });
  }
  return readBlobs(options, entries);
}

async function readBlobs(
  options: GitOptions,
  entries: readonly { readonly path: string; readonly object: string }[],
): Promise<Result<readonly SourceFile[]>> {
  if (entries.length === 0) return ok([]);
  const input = entries.map((entry) => `${entry.object}\n`).join('');
  const bytesMax = LIMITS.bundleBytesMax + TEXT_BYTES_MAX;
  const printed = await runGit(options, ['cat-file', '--batch'], bytesMax, input);
  if (!printed.ok) return printed;
  const files: SourceFile[] = [];
  let at = 0;
  for (const entry of entries) {
    // `OBJECT blob SIZE`, a line feed, SIZE bytes, a line feed.
    const lineEnd = printed.value.indexOf(0x0a, at);
    const header = new TextDecoder().decode(printed.value.subarray(at, lineEnd)).split(' ');
    const size = Number(header[2]);
    if (lineEnd < 0 || header[0] !== entry.object || !Number.isSafeInteger(size)) {
      return err(failure('publish/tree-unreadable', `git cannot read ${quote(entry.path)}`));
    }
    const bytes = printed.value.slice(lineEnd + 1, lineEnd + 1 + size);
    files.push({ path: entry.path, bytes });
    at = lineEnd + 1 + size + 1;
  }
  return ok(files);
}
