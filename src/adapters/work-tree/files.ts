// Files of a work tree, for people at a keyboard: policies to lint, a scaffold to write. What is
// published comes from commits (adapters/git), never from here.
//
// Deliberately absent: following links out of the tree; overwriting.
//
// SPDX-License-Identifier: Apache-2.0

import { lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
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

/** Writes new files, directories included; when one exists, nothing is written. */
export async function writeNewFiles(
  dir: string,
  files: readonly { readonly path: string; readonly text: string; readonly executable: boolean }[],
): Promise<Result<void>> {
  for (const { path } of files) {
    if (await exists(join(dir, path))) {
      return err(
        failure('cli/file-exists', `${join(dir, path)} exists; nothing was written`, {
          hints: ['choose an empty folder, or move the file away'],
        }),
      );
    }
  }
  try {
    for (const { path, text, executable } of files) {
      const target = join(dir, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
    }
  } catch (cause) {
    return unreadable(dir, cause);
  }
  return ok(undefined);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
}

function unreadable(path: string, cause: unknown): Result<never> {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  return err(
    failure('cli/file-unreadable', `${JSON.stringify(path)} cannot be used`, { causes: [code] }),
  );
}
