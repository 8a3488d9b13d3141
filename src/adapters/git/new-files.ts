// Writes the files of a new policy repository: all of them or none that was there before is touched.
//
// SPDX-License-Identifier: Apache-2.0

import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, failure, ok, type Result } from '../../core/result.ts';

const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

/** Writes new files below `dir`; when one of them exists, nothing is written. */
export async function writeNewFiles(
  dir: string,
  files: readonly {
    readonly path: string;
    readonly text: string;
    readonly isExecutable: boolean;
  }[],
): Promise<Result<void>> {
  const found = await Promise.all(files.map((file) => exists(join(dir, file.path))));
  const there = files.filter((_, at) => found[at] === true).map((file) => file.path);
  if (there.length > 0) {
    return err(failure('publish/repository-exists', `${dir} has such files`, { causes: there }));
  }
  for (const { path, text, isExecutable } of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    const mode = isExecutable ? EXECUTABLE_MODE : FILE_MODE;
    await writeFile(join(dir, path), text, { flag: 'wx', mode });
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
