// SPDX-License-Identifier: Apache-2.0
// The guest's large programs, on a read-only disk of their own that all guests share.
//
// In the initramfs they would be copied into memory at every boot, which takes an emulated processor half
// as long again as the rest of the boot; from a disk the kernel reads the pages that are used.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../setup/errors.mjs';
import { PINNED_NODE, TOOLS_BIN } from '../setup/paths.mjs';
import { run } from '../setup/run.mjs';

const LOG = 'guest-image';
const OVERHEAD = 1.1; // what ext4 needs for itself
const BLOCK_BYTES = 4096;

/** The programs, as the guest sees them in RUNTIME_MOUNT. */
export const RUNTIME_PROGRAMS = { node: PINNED_NODE, oras: join(TOOLS_BIN, 'oras') };
export const RUNTIME_MOUNT = '/opt/runtime';

/** Returns the disk's image in a folder, made when it is not there for these very programs. */
export function prepareRuntimeDisk(folder) {
  const programs = Object.entries(RUNTIME_PROGRAMS).map(([name, path]) => {
    if (!existsSync(path))
      throw new SetupError(`the guest needs ${path}, which is missing`, {
        hint: 'run "make setup"',
      });
    const source = realpathSync(path);
    return { name, source, size: statSync(source).size, mtimeMs: statSync(source).mtimeMs };
  });
  const hash = createHash('sha256')
    .update(JSON.stringify([BLOCK_BYTES, programs]))
    .digest('hex')
    .slice(0, 16);
  const disk = join(folder, `runtime-${hash}.img`);
  if (!existsSync(disk)) makeDisk(disk, programs);
  return disk;
}

function makeDisk(disk, programs) {
  const partial = `${disk}.partial-${process.pid}`;
  const staging = `${partial}.files`;
  mkdirSync(staging, { recursive: true });
  for (const { name, source } of programs) copyFileSync(source, join(staging, name));
  const bytes = programs.reduce((total, { size }) => total + size, 0) * OVERHEAD;
  writeFileSync(partial, '');
  truncateSync(partial, Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES);
  // No journal: nothing ever writes to it.
  run(
    '/sbin/mke2fs',
    [
      '-q',
      '-F',
      '-t',
      'ext4',
      '-b',
      String(BLOCK_BYTES),
      '-O',
      '^has_journal',
      '-m',
      '0',
      '-d',
      staging,
      partial,
    ],
    {
      log: LOG,
    },
  );
  // Owned by root in the guest, whoever builds it.
  for (const { name } of programs)
    for (const field of ['uid', 'gid'])
      run('/sbin/debugfs', ['-w', '-R', `set_inode_field /${name} ${field} 0`, partial], {
        log: LOG,
      });
  rmSync(staging, { recursive: true });
  renameSync(partial, disk);
}
