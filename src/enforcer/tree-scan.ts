// What is inside a tree when it becomes protected: regular files with further names (which may be
// outside, so they are protected by identity too) and filesystems mounted below. Bounded, because a
// tree belongs to whoever may write there.
//
// No directory is read here: the kernel side walks by descriptors, so that no depth and no name of a
// tree, and no rule in force, can keep the next generation from being compiled.
//
// SPDX-License-Identifier: Apache-2.0

import type { Identity } from '../core/image/resolution.ts';
import { ok, type Result } from '../core/result.ts';
import type { KernelPort } from './kernel-port.ts';
import { type Mount, mountsBelow } from './mounts.ts';

/** What the scan found. */
export interface TreeContent {
  readonly linked: readonly Identity[];
  readonly mountRoots: readonly Identity[];
}

/** Scans a directory; `budget` is shared by all trees of one image. */
export function scanTree(
  root: string,
  kernel: Pick<KernelPort, 'resolve' | 'scan'>,
  mounts: readonly Mount[],
  budget: { entriesLeft: number },
): Result<TreeContent> {
  const linked = new Map<string, Identity>();
  const mountRoots = new Map<string, Identity>();
  const places = [root];
  for (const { point, root: inside } of mountsBelow(mounts, root)) {
    const fact = kernel.resolve(point, false);
    if (!fact.ok) return fact;
    if (fact.value === null) continue;
    add(fact.value, mountRoots);
    // A whole filesystem has all its names below its root. A part of one, bound here, may share files
    // with the rest of it.
    if (inside !== '/') places.push(point);
  }
  for (const place of places) {
    const found = kernel.scan(place, budget.entriesLeft);
    if (!found.ok) return found;
    budget.entriesLeft -= found.value.entries;
    for (const identity of found.value.identities) add(identity, linked);
  }
  return ok({ linked: [...linked.values()], mountRoots: [...mountRoots.values()] });
}

function add({ ino, sub, dev, gen }: Identity, into: Map<string, Identity>): void {
  into.set(`${dev}:${ino}:${gen}:${sub}`, { ino, sub, dev, gen });
}
