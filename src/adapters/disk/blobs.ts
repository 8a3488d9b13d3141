// Blobs in the shape of an OCI image layout: `oci-layout`, `blobs/sha256/HEX`, `index.json`, so that
// oras and skopeo can read what was admitted. A blob's name is its content: it is written once, read
// only with its hash checked, and written again when the copy that is there is damaged.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { MEDIA } from '../../core/bundle.ts';
import { type Digest, digestHex } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { attempt, readFileIfPresent, writeFileAtomic } from './atomic-file.ts';

const HEX = /^[0-9a-f]{64}$/;
const CODE = 'stage/write-failed';

/** The blobs of one state folder. */
export class BlobFolder {
  readonly #root: string;
  readonly #blobs: string;

  constructor(root: string) {
    this.#root = root;
    this.#blobs = join(root, 'blobs', 'sha256');
  }

  /** Whether something was ever kept here: a third sign, after both copies of the floor. */
  hasAny(): boolean {
    return fs.existsSync(this.#blobs) && fs.readdirSync(this.#blobs).some((it) => HEX.test(it));
  }

  create(): Result<void> {
    const made = attempt('record/write-failed', `creating ${this.#blobs}`, () => {
      fs.mkdirSync(this.#blobs, { recursive: true, mode: 0o700 });
    });
    const layout = join(this.#root, 'oci-layout');
    if (!made.ok || fs.existsSync(layout)) return made;
    return writeFileAtomic(layout, utf8('{"imageLayoutVersion":"1.0.0"}'));
  }

  /** Keeps bytes under their digest; bytes that are not of that digest are a bug of the caller. */
  write(digest: Digest, bytes: Uint8Array): Result<void> {
    if (sha256(bytes) !== digestHex(digest)) throw new Error(`bytes are not of ${digest}`);
    const there = this.read(digest, bytes.length);
    if (there.ok && there.value !== null) return ok(undefined);
    return writeFileAtomic(this.#path(digest), bytes, { code: CODE });
  }

  /** Null when there is none; `state/corrupt` when what is there is not of that digest. */
  read(digest: Digest, bytesMax: number): Result<Uint8Array | null> {
    const read = readFileIfPresent(this.#path(digest), bytesMax);
    if (!read.ok || read.value === null) return read;
    if (sha256(read.value) === digestHex(digest)) return read;
    return err(failure('state/corrupt', `the stored blob ${digest} is damaged`));
  }

  /** Writes the index of admitted manifests; one that is gone is left out. */
  writeIndex(digests: readonly Digest[]): Result<void> {
    const manifests = digests.flatMap((digest) => {
      const file = fs.statSync(this.#path(digest), { throwIfNoEntry: false });
      return file === undefined ? [] : [{ mediaType: MEDIA.manifest, digest, size: file.size }];
    });
    const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests };
    return writeFileAtomic(join(this.#root, 'index.json'), utf8(JSON.stringify(index)), {
      code: CODE,
    });
  }

  /** Removes every blob that is not named, and leftovers of cut writes. */
  retain(named: ReadonlySet<Digest>): Result<void> {
    return attempt('record/write-failed', `pruning ${this.#blobs}`, () => {
      for (const name of fs.readdirSync(this.#blobs)) {
        const isNamed = HEX.test(name) && named.has(`sha256:${name}` as Digest);
        if (!isNamed) fs.rmSync(join(this.#blobs, name), { force: true });
      }
    });
  }

  #path(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }
}

/** The digest of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${sha256(bytes)}` as Digest;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
