// One update of files from a TUF repository (specification 1.0): roots in order, then timestamp, snapshot,
// targets, then the files by length and hash. The client is tuf-js; what it leaves open is closed here: only
// top-level targets count (a delegated role could be named like a top-level one), a target has a SHA-256 and
// a bounded length, and the client's folder is a temporary one, so that a cut never leaves half a file.
//
// Invariant: what is answered as `keep` was verified, each file by itself, whatever became of the rest.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Updater } from 'tuf-js';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import { BoundedFetcher, checkMirror } from './bounded-fetcher.ts';

/** The metadata that is kept between updates, in the order in which it is written. */
export const METADATA = ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json'] as const;

export interface TufRequest {
  /** Address of the repository; targets lie below `targets/`. */
  readonly mirror: string;
  /** By file name: at least `root.json`, the newest root that is trusted already. */
  readonly kept: ReadonlyMap<string, Uint8Array>;
  readonly targets: readonly string[];
  readonly timeoutMs: number;
}

export interface TufAnswer {
  /** Verified metadata, to be kept also when the update was refused. */
  readonly keep: ReadonlyMap<string, Uint8Array>;
  /** The targets, in the order in which they were asked for. */
  readonly files: Result<readonly Uint8Array[]>;
}

/** Goes through the whole workflow once. */
export async function updateByTuf(request: TufRequest): Promise<TufAnswer> {
  const mirror = checkMirror(request.mirror);
  if (!mirror.ok) return { keep: request.kept, files: mirror };
  const dir = fs.mkdtempSync(join(tmpdir(), 'warder-tuf-'));
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), request.timeoutMs);
  try {
    for (const [name, bytes] of request.kept) fs.writeFileSync(join(dir, name), bytes);
    const fetcher = new BoundedFetcher(deadline.signal);
    const files = await fetchAll(request, mirror.value, dir, fetcher);
    return { keep: readBack(dir), files };
  } finally {
    clearTimeout(timer);
    // Also ends what a refusal left half read.
    deadline.abort();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function fetchAll(
  { targets }: TufRequest,
  mirror: URL,
  dir: string,
  fetcher: BoundedFetcher,
): Promise<Result<readonly Uint8Array[]>> {
  try {
    const updater = new Updater({
      metadataDir: dir,
      metadataBaseUrl: mirror.href,
      targetBaseUrl: new URL('targets/', mirror).href,
      fetcher,
      config: { maxDelegations: 0 },
    });
    await updater.refresh();
    const files: Uint8Array[] = [];
    for (const [index, target] of targets.entries()) {
      const file = await fetchTarget(target, updater, join(dir, `target-${index}`));
      if (!file.ok) return file;
      files.push(file.value);
    }
    return ok(files);
  } catch (cause) {
    // Everything that the client throws is about what it was given: by us (a root) or by the repository.
    const told = escapeAndCut(cause instanceof Error ? cause.message : String(cause), 300);
    if (fetcher.trouble === null) return refuse([told]);
    const what = 'the TUF repository did not answer';
    const causes = [escapeAndCut(fetcher.trouble, 300)];
    return err(failure('trust/update-unavailable', what, { causes }));
  }
}

async function fetchTarget(
  name: string,
  updater: Updater,
  path: string,
): Promise<Result<Uint8Array>> {
  const info = await updater.getTargetInfo(name);
  if (info === undefined) return refuse([`its targets have no ${name}`]);
  const sha256 = info.hashes['sha256'];
  if (sha256 === undefined) return refuse([`${name} has no SHA-256`]);
  if (info.length > LIMITS.policyFileBytesMax) return refuse([`${name} has ${info.length} bytes`]);
  const bytes = fs.readFileSync(await updater.downloadTarget(info, path));
  const isIt = createHash('sha256').update(bytes).digest('hex') === sha256;
  return isIt ? ok(bytes) : refuse([`${name} does not fit its SHA-256`]);
}

function readBack(dir: string): ReadonlyMap<string, Uint8Array> {
  const there = METADATA.filter((name) => fs.existsSync(join(dir, name)));
  return new Map(there.map((name) => [name, fs.readFileSync(join(dir, name))]));
}

function refuse(causes: readonly string[]): Result<never> {
  const what = 'what the TUF repository says is refused';
  return err(failure('trust/update-refused', what, { causes }));
}
