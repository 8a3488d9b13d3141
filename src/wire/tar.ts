// Tar archives, the smallest part of them that holds an OCI layout: plain files and plain folders under the
// names that the caller allows. Everything else is a refusal of the whole archive and never a skipped entry:
// links, devices, sparse files, extended headers (which rename and resize entries), set-id bits, other
// spellings of numbers, compression (bad inputs A01 to A12). Nothing is written from here.
//
// SPDX-License-Identifier: Apache-2.0

import { LIMITS } from '../core/limits.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';

const BLOCK = 512;
const SUM = { at: 148, length: 8 } as const;
const FILE_MODE = '0000644';
const OCTAL = /^[0-7]+[ \0]*$/;
const NUMBER = '\0';

/** A file of an archive. */
export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Writes an archive: equal files, equal bytes. Names are ASCII and short. */
export function encodeTar(files: readonly ArchiveFile[]): Uint8Array {
  const parts = files.flatMap(({ name, bytes }) => [
    header(name, bytes.length),
    bytes,
    Buffer.alloc(-bytes.length & (BLOCK - 1)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'latin1');
  const zero = '0000000';
  block.write(`${FILE_MODE}\0${zero}\0${zero}\0`, 100, 'latin1');
  block.write(`${size.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${sumOf(block).toString(8).padStart(6, '0')}\0 `, SUM.at, 'latin1');
  return block;
}

/** Reads the files of an archive whose every name `isAllowed`; folders are looked at and dropped. */
export function parseTar(
  bytes: Uint8Array,
  isAllowed: (name: string, kind: 'file' | 'folder') => boolean,
): Result<readonly ArchiveFile[]> {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, ArchiveFile>();
  let at = 0;
  for (let count = 0; ; count += 1) {
    if (count > LIMITS.archiveEntriesMax) return unsafe('it has too many entries');
    const block = data.subarray(at, at + BLOCK);
    if (block.length < BLOCK) return unsafe('it ends early');
    if (block.every((it) => it === 0)) break;
    const entry = parseHeader(block);
    if (!entry.ok) return entry;
    const { name, size, kind } = entry.value;
    if (!isAllowed(name, kind)) return unsafe(`it has an entry ${escapeAndCut(name, 100)}`);
    at += BLOCK;
    if (kind === 'folder') continue;
    const content = data.subarray(at, at + size);
    if (content.length < size) return unsafe('it ends early');
    if (files.has(name)) return unsafe('it has an entry twice');
    files.set(name, { name, bytes: content });
    at += size + (-size & (BLOCK - 1));
  }
  // Behind the end there is padding, or something that another reader would find.
  if (!data.subarray(at).every((it) => it === 0)) return unsafe('something is behind its end');
  return ok([...files.values()]);
}

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly kind: 'file' | 'folder';
}

function parseHeader(block: Buffer): Result<Entry> {
  if (numberAt(block, SUM.at, SUM.length) !== sumOf(block)) return unsafe('it is no plain tar');
  const magic = block.toString('latin1', 257, 263);
  if (magic !== 'ustar\0' && magic !== 'ustar ') return unsafe('it is no plain tar');
  const type = block.toString('latin1', 156, 157);
  const kind = type === '0' || type === NUMBER ? 'file' : type === '5' ? 'folder' : null;
  if (kind === null) return unsafe(`it has an entry of type ${escapeAndCut(type, 8)}`);
  // A prefix would be one more way to spell a name; a link's target has no business in a file.
  if (block[345] !== 0 || block[157] !== 0) return unsafe('an entry has a prefix or a target');
  const mode = numberAt(block, 100, 8);
  if (mode === null || (mode & 0o7000) !== 0) return unsafe('an entry has a set-id or sticky bit');
  const size = numberAt(block, 124, 12);
  if (size === null || (kind === 'folder' && size !== 0)) return unsafe('an entry has no size');
  const name = textAt(block, 0, 100);
  if (name === null) return unsafe('the name of an entry cannot be read');
  return ok({ name, size, kind });
}

function textAt(block: Buffer, at: number, length: number): string | null {
  const text = block.toString('latin1', at, at + length);
  const end = text.indexOf('\0');
  if (end < 0) return text;
  // What stands behind the first NUL is invisible to one reader and not to another.
  return /^\0+$/.test(text.slice(end)) ? text.slice(0, end) : null;
}

/** Octal digits; other spellings (base 256, blanks in front) are null. */
function numberAt(block: Buffer, at: number, length: number): number | null {
  const text = block.toString('latin1', at, at + length);
  return OCTAL.test(text) ? Number.parseInt(text, 8) : null;
}

function sumOf(block: Buffer): number {
  let sum = 0;
  for (const [at, byte] of block.entries()) {
    sum += at >= SUM.at && at < SUM.at + SUM.length ? 0x20 : byte;
  }
  return sum;
}

function unsafe(why: string): Result<never> {
  return err(failure('fetch/archive-unsafe', 'the archive is refused', { causes: [why] }));
}
