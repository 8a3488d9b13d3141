// Policy files of a work tree, for people at a keyboard. What is published comes from commits (adapters/git), never from here.
//
// Deliberately absent: following links out of the tree.
//
// SPDX-License-Identifier: Apache-2.0

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import type { SourceFile } from '../../core/publish/commit.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

const YAML = /\.ya?ml$/;

/** YAML files at or below the paths, sorted; their paths start as the given ones do. */
export async function readPolicyFiles(
  cwd: string,
  paths: readonly string[],
): Promise<Result<readonly SourceFile[]>> {
  const found = new Map<string, SourceFile>();
  for (const path of paths) {
    try {
      for (const file of await listYaml(cwd, path)) {
        const absolute = resolve(cwd, file);
        const { size } = await stat(absolute);
        // The parser says which file is too large; reading it whole would be the harm.
        const bytes =
          size > LIMITS.policyFileBytesMax * 2 ? Buffer.alloc(0) : await readFile(absolute);
        found.set(file, { path: file, bytes });
      }
    } catch (cause) {
      return unreadable(path, cause);
    }
  }
  return ok([...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1)));
}

async function listYaml(cwd: string, path: string): Promise<readonly string[]> {
  const absolute = resolve(cwd, path);
  if (!(await stat(absolute)).isDirectory()) return [path];
  const entries = await readdir(absolute, { withFileTypes: true, recursive: true });
  return entries
    .filter((it) => it.isFile() && YAML.test(it.name))
    .map((it) => join(path, join(it.parentPath, it.name).slice(absolute.length + 1)));
}

function unreadable(path: string, cause: unknown): Result<never> {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  return err(
    failure('cli/file-unreadable', `${JSON.stringify(path)} cannot be read`, {
      causes: [code === 'ENOENT' ? 'there is no such file or folder' : code],
    }),
  );
}
