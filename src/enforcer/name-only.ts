// File systems whose identities do not last: an inode gets another number when the kernel has forgotten it,
// and an innocent file may get the old one. What is on them is known by its name alone.
//
// Invariants: no identity of such a file system enters an image but that of its root, which stays while it
// is mounted; a name that could be spelled in a way that this does not see is refused.
//
// SPDX-License-Identifier: Apache-2.0

import type { PathFact } from '../core/enforcer/kernel.ts';
import { err, failure, ok, type Result } from '../core/result.ts';

// Numbers of linux/magic.h, and of the sources for those that it lacks.
const FAT = 0x4d44n;
const EXFAT = 0x2011bab0n;
const UNSTABLE: ReadonlyMap<bigint, string> = new Map([
  [FAT, 'vfat'],
  [EXFAT, 'exfat'],
  [0x65735546n, 'fuse'],
  [0x6969n, 'nfs'],
  [0xff534d42n, 'cifs'],
  [0xfe534d42n, 'smb3'],
  [0x01021997n, '9p'],
]);
const ASCII = /^[\x20-\x7e]+$/;
/** Up to eight characters and an extension of up to three: such a file has no second, generated name. */
const SHORT_NAME = /^[A-Za-z0-9_-]{1,8}(?:\.[A-Za-z0-9_-]{1,3})?$/;

/** Whether the identity of a file holds as long as it exists. */
export function isLasting(fact: PathFact, parent: PathFact): boolean {
  return !UNSTABLE.has(fact.magic) || fact.dev !== parent.dev;
}

// The kernel side folds ASCII, and takes a name beyond it for one that it cannot tell.
function foldedName(path: string, name: string): Result<string> {
  if (ASCII.test(name)) return ok(name.toLowerCase());
  return err(
    failure('stage/folded-names', `${path} cannot be protected by its name`, {
      causes: ['its directory compares names without case, and the name is not ASCII alone'],
      hints: ['protect a directory above it as a tree'],
    }),
  );
}

/** The name as the kernel side looks it up in this directory; refused where a name is not enough. */
export function nameToLookUp(
  path: string,
  name: string,
  directory: PathFact,
  above: PathFact | undefined,
): Result<string> {
  if (directory.folds) return foldedName(path, name);
  const kind = UNSTABLE.get(directory.magic);
  if (kind === undefined) return ok(name);
  if (above === undefined || above.dev === directory.dev) {
    return err(
      failure('stage/unstable-identity', `${path} cannot be protected: it is on ${kind}`, {
        causes: [
          'its directory has no identity that lasts, and is not the root of the file system',
        ],
        hints: ['protect the mount point as a tree'],
      }),
    );
  }
  if (directory.magic !== FAT && directory.magic !== EXFAT) return ok(name);
  if (SHORT_NAME.test(name)) return ok(name.toLowerCase());
  return err(
    failure(
      'stage/unstable-identity',
      `${path} cannot be protected: ${kind} gives it other names`,
      {
        causes: [
          'names of more than 8.3 ASCII letters, digits, _ and - can be spelled in other ways',
        ],
        hints: ['protect the mount point as a tree'],
      },
    ),
  );
}
