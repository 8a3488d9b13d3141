// SPDX-License-Identifier: Apache-2.0
// Makes a disk image with an empty ext4 file system, for a guest that must survive a power cut.

import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';

/** Creates the image file (sparse) and returns its path. */
export function createDisk(path: string, sizeMb = 128): string {
  writeFileSync(path, '');
  truncateSync(path, sizeMb * 1024 * 1024);
  execFileSync('/sbin/mkfs.ext4', ['-q', '-F', path]);
  return path;
}
