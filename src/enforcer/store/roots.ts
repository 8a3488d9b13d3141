// The trusted roots that bundles were admitted under: a snapshot beside the evidence, because the files of
// this host go with the time. Hashed when it is read, like the evidence.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../../core/digest.ts';
import type { TrustedRootText } from '../../core/verify/trust.ts';

/** Keeps a root inside the caller's transaction. */
export function writeRoot(database: DatabaseSync, root: TrustedRootText | null): void {
  if (root === null) return;
  database
    .prepare('INSERT INTO roots VALUES (?, ?) ON CONFLICT DO UPDATE SET json = excluded.json')
    .run(root.digest, root.json);
}

/** The root of an admission; one that was damaged is none: nothing is believed because of it. */
export function readRoot(database: DatabaseSync, bundle: Digest): TrustedRootText | null {
  const row = database
    .prepare(
      `SELECT r.digest, r.json FROM admitted a JOIN roots r ON r.digest = a.root
         WHERE a.digest = ?`,
    )
    .get(bundle);
  if (row === undefined) return null;
  const [digest, json] = [String(row['digest']) as Digest, String(row['json'])];
  const hash = createHash('sha256').update(json).digest('hex');
  return digest === `sha256:${hash}` ? { digest, json } : null;
}

/** Removes roots that nothing with evidence was admitted under, inside the caller's transaction. */
export function pruneRoots(database: DatabaseSync): void {
  database.exec(
    `UPDATE admitted SET root = NULL
       WHERE root IS NOT NULL AND digest NOT IN (SELECT digest FROM evidence);
     DELETE FROM roots WHERE digest NOT IN (SELECT root FROM admitted WHERE root IS NOT NULL);`,
  );
}
