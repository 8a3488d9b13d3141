// What is inside a tree when it becomes protected: regular files with further names (which may be
// outside, so they are protected by identity too) and filesystems mounted below. Bounded, because a
// tree belongs to whoever may write there.
//
// SPDX-License-Identifier: Apache-2.0

import { lstatSync, readdirSync } from 'node:fs';
import type { Identity } from '../core/image/resolution.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { KernelPort } from './kernel-port.ts';
import { type Mount, mountPointsBelow } from './mounts.ts';

/** What the scan found. */
export interface TreeContent {
  readonly linked: readonly Identity[];
  readonly mountRoots: readonly Identity[];
}

/** Scans a directory; `budget` is shared by all trees of one image. */
export function scanTree(
  root: string,
  kernel: Pick<KernelPort, 'resolve'>,
  mounts: readonly Mount[],
  budget: { entriesLeft: number },
): Result<TreeContent> {
  const linked = new Map<string, Identity>();
  const mountRoots = new Map<string, Identity>();
  const add = (path: string, into: Map<string, Identity>): Result<void> => {
    const fact = kernel.resolve(path, false);
    if (!fact.ok) return fact;
    if (fact.value === null) return ok(undefined);
    const { ino, sub, dev, gen } = fact.value;
    into.set(`${dev}:${ino}:${gen}:${sub}`, { ino, sub, dev, gen });
    return ok(undefined);
  };
  for (const point of mountPointsBelow(mounts, root)) {
    const added = add(point, mountRoots);
    if (!added.ok) return added;
  }
  const waiting: Buffer[] = [Buffer.from(root)];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const names = listDirectory(directory);
    if (!names.ok) return names;
    for (const name of names.value) {
      budget.entriesLeft -= 1;
      if (budget.entriesLeft < 0) {
        return err(
          failure('stage/tree-too-large', `the scan for hard links gave up below ${root}`),
        );
      }
      const path = Buffer.concat([directory, SLASH, name]);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory()) waiting.push(path);
      if (!stat?.isFile() || stat.nlink < 2) continue;
      const added = checkText(path, (text) => add(text, linked));
      if (!added.ok) return added;
    }
  }
  return ok({ linked: [...linked.values()], mountRoots: [...mountRoots.values()] });
}

const SLASH = Buffer.from('/');

function listDirectory(path: Buffer): Result<readonly Buffer[]> {
  try {
    return ok(readdirSync(path, { encoding: 'buffer' }));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    // Removed meanwhile, or a tree that is a single file.
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok([]);
    // EACCES: the policy in force denies reading to everybody, and so to this process.
    const where = path.toString('utf8');
    return err(failure('stage/resolve-failed', `${where} cannot be listed: ${code}`));
  }
}

// The loader takes paths as text: a name that is no UTF-8 would silently be another name.
function checkText(path: Buffer, then: (text: string) => Result<void>): Result<void> {
  const text = path.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(path)) return then(text);
  return err(
    failure('stage/resolve-failed', `a hard-linked file has a name that is not UTF-8: ${text}`),
  );
}
