// The files of an OCI image layout. Reads take plain files only: a link could lead out of the layout,
// a FIFO could hold the reader. Writes are whole or absent: aside, fsync, rename, fsync of the folder.
//
// SPDX-License-Identifier: Apache-2.0

import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ErrorCode } from '../../core/errors.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const FILE_MODE = 0o644;
let written = 0;

/** What the codes are when a file is not there, or longer than the cap. */
export interface ReadCodes {
  readonly missing: ErrorCode;
  readonly tooLarge: ErrorCode;
}

/** Reads a plain file of the layout, at most `bytesMax` of it. */
export async function readPlainFile(
  dir: string,
  parts: readonly string[],
  bytesMax: number,
  codes: ReadCodes,
): Promise<Result<Uint8Array>> {
  const folders = parts.slice(0, -1);
  try {
    for (let depth = 1; depth <= folders.length; depth += 1) {
      const stat = await lstat(join(dir, ...folders.slice(0, depth)));
      if (!stat.isDirectory()) return invalid(parts, 'a folder of the layout is a link or a file');
    }
    const file = await open(join(dir, ...parts), READ_FLAGS);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return invalid(parts, 'it is not a plain file');
      // One byte more than there is, and never more than one above the cap: a file that grows meanwhile
      // is cut here, and its digest says so.
      const buffer = new Uint8Array(Math.min(stat.size, bytesMax) + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        length += bytesRead;
        if (bytesRead === 0 || length === buffer.length) break;
      }
      if (length > bytesMax) {
        return err(failure(codes.tooLarge, `${parts.join('/')} is over ${bytesMax} bytes`));
      }
      return ok(buffer.slice(0, length));
    } finally {
      await file.close();
    }
  } catch (cause) {
    return readFailure(cause, parts, codes);
  }
}

function readFailure(cause: unknown, parts: readonly string[], codes: ReadCodes): Result<never> {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') {
    return err(failure(codes.missing, `the layout has no ${parts.join('/')}`));
  }
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENXIO') {
    return invalid(parts, 'it is not a plain file');
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EIO') {
    const what = `${parts.join('/')} of the layout cannot be read`;
    return err(failure('fetch/registry-unavailable', what, { causes: [code] }));
  }
  throw cause;
}

function invalid(parts: readonly string[], why: string): Result<never> {
  const what = `${parts.join('/')} of the layout is refused`;
  return err(failure('fetch/layout-invalid', what, { causes: [why] }));
}

/** Makes the folders of a layout. */
export async function makeFolders(dir: string): Promise<Result<void>> {
  return writing(dir, async () => {
    await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
  });
}

/** Writes a file whole, durably, or not at all. */
export async function writeWholeFile(path: string, bytes: Uint8Array): Promise<Result<void>> {
  written += 1;
  const aside = join(dirname(path), `.${process.pid}-${written}.tmp`);
  return writing(path, async () => {
    try {
      const file = await open(aside, 'wx', FILE_MODE);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, path);
    } catch (cause) {
      await rm(aside, { force: true });
      throw cause;
    }
    const folder = await open(dirname(path), constants.O_RDONLY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  });
}

const WRITE_CODES = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST', 'EIO'];

async function writing(path: string, write: () => Promise<void>): Promise<Result<void>> {
  try {
    await write();
    return ok(undefined);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (!WRITE_CODES.includes(code)) throw cause;
    return err(failure('fetch/registry-unavailable', `cannot write ${path}`, { causes: [code] }));
  }
}
