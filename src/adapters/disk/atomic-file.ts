// Whole-file writes that survive a cut at any instruction: temporary file in the same folder, fsync,
// rename, fsync of the folder. A reader sees the old bytes or the new ones, never a mixture.
//
// A record is such a file with its own SHA-256 in front, so that a truncated, zeroed or flipped copy is
// told from a good one. It cannot tell an older good copy: whoever needs that compares two copies.
//
// Synchronous on purpose: state is small, and an order of effects that cannot be interleaved is easier
// to prove. Deliberately absent: locking (lock.ts).
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { ErrorCode } from '../../core/errors.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

const RECORD_MAGIC = 'warder-record-v1';

/** Replaces a file as a whole and answers once it is on the disk. */
export function writeFileAtomic(
  path: string,
  bytes: Uint8Array,
  options: { readonly mode?: number; readonly code?: ErrorCode } = {},
): Result<void> {
  // One name per target: a leftover of a cut write is overwritten by the next, never collected.
  const aside = `${path}.tmp`;
  return attempt(options.code ?? 'record/write-failed', `writing ${path}`, () => {
    const file = fs.openSync(aside, 'w', options.mode ?? 0o600);
    try {
      writeAll(file, bytes);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(aside, path);
    syncFolder(dirname(path));
  });
}

/** Reads a file of at most `bytesMax` bytes; null when there is none, `state/corrupt` when it is longer. */
export function readFileIfPresent(path: string, bytesMax: number): Result<Uint8Array | null> {
  let file: number;
  try {
    file = fs.openSync(path, 'r');
  } catch (cause) {
    // A first run has no file yet.
    if (isSystemError(cause) && cause.code === 'ENOENT') return ok(null);
    return attempt('state/corrupt', `opening ${path}`, () => {
      throw cause;
    });
  }
  try {
    const size = fs.fstatSync(file).size;
    if (size > bytesMax) {
      return err(
        failure('state/corrupt', `${path} has ${size} bytes, at most ${bytesMax} are read`),
      );
    }
    return attempt('state/corrupt', `reading ${path}`, () => new Uint8Array(fs.readFileSync(file)));
  } finally {
    fs.closeSync(file);
  }
}

/** Writes text with its checksum; {@link readRecord} reads it back. */
export function writeRecord(path: string, text: string, code?: ErrorCode): Result<void> {
  const bytes = Buffer.from(`${RECORD_MAGIC} ${sha256(text)}\n${text}`, 'utf8');
  return writeFileAtomic(path, bytes, code === undefined ? {} : { code });
}

/** The text of a record; null when there is none, `state/corrupt` when its checksum does not hold. */
export function readRecord(path: string, bytesMax: number): Result<string | null> {
  const read = readFileIfPresent(path, bytesMax);
  if (!read.ok || read.value === null) return read.ok ? ok(null) : read;
  const all = Buffer.from(read.value).toString('utf8');
  const end = all.indexOf('\n');
  const text = all.slice(end + 1);
  if (end < 0 || all.slice(0, end) !== `${RECORD_MAGIC} ${sha256(text)}`) {
    return err(failure('state/corrupt', `the checksum of ${path} does not hold`));
  }
  return ok(text);
}

/** Makes names that were created or removed in a folder durable. */
export function syncFolder(path: string): void {
  const folder = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

/** Runs file work; what the operating system refuses is a failure of this code, the rest are bugs. */
export function attempt<T>(code: ErrorCode, doing: string, work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (cause) {
    if (!isSystemError(cause)) throw cause;
    return err(failure(code, `${doing} failed: ${cause.code}`, { causes: [cause.message] }));
  }
}

function isSystemError(cause: unknown): cause is Error & { readonly code: string } {
  return cause instanceof Error && 'syscall' in cause && 'code' in cause;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
