// The one bounded reader of files that a person or a configuration names. A file without a size of its
// own is read to its bound and no further; a device is refused, because it may never end.
//
// SPDX-License-Identifier: Apache-2.0

import * as fs from 'node:fs';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

const CHUNK_BYTES = 64 * 1024;

/** The bytes of a file, at most `bytesMax`; otherwise why not, for people. */
export function readBounded(path: string, bytesMax: number): Result<Buffer, string> {
  let file: number | null = null;
  try {
    file = fs.openSync(path, 'r');
    const stat = fs.fstatSync(file);
    if (!stat.isFile() && !stat.isFIFO()) return err('it is no plain file');
    if (stat.size > bytesMax) return err(`it has ${stat.size} bytes; at most ${bytesMax} are read`);
    return readTo(file, bytesMax);
  } catch (cause) {
    // What the system refuses carries a code; everything else is a bug.
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    return err(code);
  } finally {
    if (file !== null) fs.closeSync(file);
  }
}

/** The bytes of a file that a person named; none, or one that is too large, is told by its name. */
export function readPlainFile(path: string): Result<Uint8Array> {
  const bytes = readBounded(path, LIMITS.trustBytesMax);
  if (bytes.ok) return bytes;
  return err(failure('config/unreadable', `cannot read ${path}`, { causes: [bytes.error] }));
}

// A pipe, or a file that grows, has more than its size said.
function readTo(file: number, bytesMax: number): Result<Buffer, string> {
  const chunks: Buffer[] = [];
  for (let held = 0; held <= bytesMax; ) {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const count = fs.readSync(file, chunk);
    if (count === 0) return ok(Buffer.concat(chunks));
    chunks.push(chunk.subarray(0, count));
    held += count;
  }
  return err(`it has more than ${bytesMax} bytes`);
}
