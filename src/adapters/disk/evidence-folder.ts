// A decision record as a folder, to be carried away and repeated elsewhere:
//
//   id                   the record's id
//   record.json          the record; its hash is the id
//   blobs/sha256/HEX     every byte that it names, by hash
//
// What is read back is hashed; a byte that changed is told, never passed on.
//
// SPDX-License-Identifier: Apache-2.0

import * as fs from 'node:fs';
import { join } from 'node:path';
import type { RecordBytes } from '../../core/decision/record.ts';
import { type Digest, digestHex, parseDigest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { attempt } from './atomic-file.ts';
import { digestOf } from './blobs.ts';
import { readBounded } from './plain-file.ts';

const ID_BYTES_MAX = 100;
const BLOBS_MAX = 1000;

/** A record in a folder. */
export interface EvidenceFolder extends RecordBytes {
  readonly id: Digest;
}

/** Writes a new folder; one that is there already is left alone. */
export function writeEvidenceFolder(
  dir: string,
  { id, record, blobs }: EvidenceFolder,
): Result<void> {
  return attempt('cli/file-unwritable', `writing ${dir}`, () => {
    fs.mkdirSync(dir, { mode: 0o755 });
    const shelf = join(dir, 'blobs', 'sha256');
    fs.mkdirSync(shelf, { recursive: true });
    for (const blob of blobs) fs.writeFileSync(join(shelf, digestHex(digestOf(blob))), blob);
    fs.writeFileSync(join(dir, 'record.json'), record);
    fs.writeFileSync(join(dir, 'id'), `${id}\n`);
  });
}

/** Reads a folder; `state/evidence-damaged` when something in it is not what its name says. */
export function readEvidenceFolder(dir: string): Result<EvidenceFolder> {
  const name = read(join(dir, 'id'), ID_BYTES_MAX);
  if (!name.ok) return name;
  const id = parseDigest(name.value.toString('latin1').trimEnd());
  if (!id.ok) return damaged(`${join(dir, 'id')} is no digest`);
  const record = read(join(dir, 'record.json'), LIMITS.recordBytesMax);
  if (!record.ok) return record;
  if (digestOf(record.value) !== id.value) return damaged('record.json does not hash to the id');
  const shelf = join(dir, 'blobs', 'sha256');
  const names = attempt('cli/file-unreadable', `reading ${shelf}`, () => fs.readdirSync(shelf));
  if (!names.ok) return names;
  if (names.value.length > BLOBS_MAX) return damaged(`there are ${names.value.length} blobs`);
  const blobs: Uint8Array[] = [];
  for (const hex of names.value) {
    const blob = read(join(shelf, hex), LIMITS.fileBytesMax);
    if (!blob.ok) return blob;
    if (digestHex(digestOf(blob.value)) !== hex) return damaged(`blobs/sha256/${hex} has changed`);
    blobs.push(blob.value);
  }
  return ok({ id: id.value, record: record.value, blobs });
}

function read(path: string, bytesMax: number): Result<Buffer> {
  const bytes = readBounded(path, bytesMax);
  if (bytes.ok) return bytes;
  const causes = [bytes.error];
  return err(failure('cli/file-unreadable', `${path} cannot be read`, { causes }));
}

function damaged(why: string): Result<never> {
  return err(failure('state/evidence-damaged', 'the evidence has changed', { causes: [why] }));
}
