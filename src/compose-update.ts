// Composes `warder trust update`: the TUF client, and where its metadata is kept. The only way by which
// Warder ever speaks to a TUF repository; nothing that runs by itself imports this.
//
// A mirror has a folder of its own. It is begun from one root file, which stays in it as begun.json: another
// root file is a decision of an administrator, who removes the folder.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, readFileIfPresent, writeFileAtomic } from './adapters/disk/atomic-file.ts';
import { readPlainFile } from './adapters/disk/plain-file.ts';
import { METADATA, updateByTuf } from './adapters/tuf/update.ts';
import type { TufPlace } from './cli/services.ts';
import { LIMITS } from './core/limits.ts';
import { err, failure, ok, type Result } from './core/result.ts';

const TIMEOUT_MS = 60_000;
const BEGUN = 'begun.json';

/** Fetches files from a TUF repository and keeps what was verified on the way. */
export async function fetchByTuf(
  place: TufPlace,
  targets: readonly string[],
): Promise<Result<readonly Uint8Array[]>> {
  const dir = join(place.stateDir, createHash('sha256').update(place.mirror).digest('hex'));
  const kept = readKept(place.root, dir);
  if (!kept.ok) return kept;
  const { mirror } = place;
  const answer = await updateByTuf({ mirror, kept: kept.value, targets, timeoutMs: TIMEOUT_MS });
  const written = keep(dir, answer.keep, kept.value);
  return answer.files.ok && !written.ok ? written : answer.files;
}

function readKept(rootFile: string, dir: string): Result<ReadonlyMap<string, Uint8Array>> {
  const root = readPlainFile(rootFile);
  if (!root.ok) return root;
  const begun = readFileIfPresent(join(dir, BEGUN), LIMITS.trustBytesMax);
  if (!begun.ok) return begun;
  if (begun.value !== null && !Buffer.from(root.value).equals(begun.value)) {
    const hints = [`name the same root file, or remove ${dir} to begin again from this one`];
    const what = `what is known of the mirror was not begun from ${rootFile}`;
    return err(failure('trust/update-root', what, { hints }));
  }
  if (begun.value === null) return ok(new Map([['root.json', root.value]]));
  const kept = new Map<string, Uint8Array>();
  for (const name of METADATA) {
    const bytes = readFileIfPresent(join(dir, name), LIMITS.fileBytesMax * 2);
    if (!bytes.ok) return bytes;
    if (bytes.value !== null) kept.set(name, bytes.value);
  }
  return ok(kept.has('root.json') ? kept : new Map([...kept, ['root.json', root.value]]));
}

// In order: a cut leaves a newer root with an older timestamp, which the next update goes on from.
function keep(
  dir: string,
  keep: ReadonlyMap<string, Uint8Array>,
  before: ReadonlyMap<string, Uint8Array>,
): Result<void> {
  if (![...keep].some(([name, bytes]) => !isSame(bytes, before.get(name)))) return ok(undefined);
  const made = attempt('record/write-failed', `making ${dir}`, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  });
  if (!made.ok) return made;
  const all = [...keep];
  const first = before.get('root.json');
  const begun = readFileIfPresent(join(dir, BEGUN), LIMITS.trustBytesMax);
  if (begun.ok && begun.value === null && first !== undefined) all.unshift([BEGUN, first]);
  for (const [name, bytes] of all) {
    const written = writeFileAtomic(join(dir, name), bytes);
    if (!written.ok) return written;
  }
  return ok(undefined);
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.from(a).equals(b);
}
