// The bytes of admitted bundles. Rows are hashed when they are read: a disk may lie, and a hash that
// holds is what makes an old admission worth anything.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { BundleBytes } from '../../core/bundle.ts';
import type { Digest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';

/** Writes the bytes of a bundle inside the caller's transaction. */
export function writeEvidence(database: DatabaseSync, bundle: BundleBytes): void {
  database.prepare('DELETE FROM evidence WHERE digest = ?').run(bundle.digest);
  const insert = database.prepare('INSERT INTO evidence VALUES (?, ?, ?, ?, ?)');
  const put = (kind: string, position: number, bytes: Uint8Array): void => {
    insert.run(bundle.digest, kind, position, digestOf(bytes), bytes);
  };
  put('manifest', 0, bundle.manifest);
  put('config', 0, bundle.config);
  for (const [position, file] of bundle.files.entries()) put('file', position, file.bytes);
  for (const [position, bytes] of bundle.attestations.entries()) {
    put('attestation', position, bytes);
  }
}

// Enough to go back several times; each is a bundle's size at most.
const KEPT_MAX = 8;

/**
 * Removes the bytes of old admissions of one source inside the caller's transaction. `needed` stays, and so
 * do the newest; that a bundle was admitted is never forgotten. Versions of two sources are not compared.
 */
export function pruneEvidence(
  database: DatabaseSync,
  source: string,
  needed: readonly (Digest | null)[],
): void {
  const [first = null, second = null] = needed;
  database
    .prepare(
      `DELETE FROM evidence WHERE digest IN (SELECT digest FROM admitted WHERE source = ?1)
         AND digest NOT IN
           (SELECT digest FROM admitted WHERE source = ?1 ORDER BY version DESC LIMIT ?2)
         AND digest IS NOT ?3 AND digest IS NOT ?4`,
    )
    .run(source, KEPT_MAX, first, second);
}

/** Reads them back; `restore/evidence-corrupt` when a hash does not hold or a part is missing. */
export function readEvidence(database: DatabaseSync, digest: Digest): Result<BundleBytes> {
  const rows = database
    .prepare(
      'SELECT kind, blob_digest, bytes FROM evidence WHERE digest = ? ORDER BY kind, position',
    )
    .all(digest)
    .map((row) => ({
      kind: String(row['kind']),
      digest: String(row['blob_digest']) as Digest,
      bytes: new Uint8Array(row['bytes'] as Uint8Array),
    }));
  const of = (kind: string) => rows.filter((it) => it.kind === kind);
  const [manifest, config] = [of('manifest')[0], of('config')[0]];
  if (manifest === undefined || config === undefined) return corrupt(digest, 'parts are missing');
  if (manifest.digest !== digest || rows.some((it) => digestOf(it.bytes) !== it.digest)) {
    return corrupt(digest, 'a hash does not hold');
  }
  return ok({
    digest,
    manifest: manifest.bytes,
    config: config.bytes,
    files: of('file').map((it) => ({ digest: it.digest, bytes: it.bytes })),
    attestations: of('attestation').map((it) => it.bytes),
  });
}

function corrupt(digest: Digest, why: string): Result<never> {
  return err(
    failure('restore/evidence-corrupt', `the stored evidence of ${digest} is damaged`, {
      causes: [why],
    }),
  );
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}
