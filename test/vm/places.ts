// File systems of the guest that cases live on: a disk image for each, made on this machine, mounted by
// the suite and not by the guest's first process, so that it can be unmounted.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './cases/case.ts';

const MIB = 1024 * 1024;

interface PlaceFacts {
  /** Size of the image, and the program that makes a file system of it; none: memory. */
  readonly make?: readonly [sizeMb: number, command: string, ...args: readonly string[]];
  /** The image is made of a folder, and cannot be written. */
  readonly pack?: (folder: string, image: string) => readonly [string, ...string[]];
  /** Of the file system, when it is not the place's name. */
  readonly type?: string;
  readonly module?: string;
}

const FACTS: Readonly<Record<Place, PlaceFacts>> = {
  // Small blocks and many inodes, for long chains of directories.
  ext4: { make: [96, '/sbin/mkfs.ext4', '-q', '-F', '-b1024', '-N40000'] },
  // Overlayfs refuses such an ext4, so it is one of its own.
  folding: { make: [16, '/sbin/mkfs.ext4', '-q', '-F', '-Ocasefold'], type: 'ext4' },
  tmpfs: {},
  // The smallest that its maker makes.
  xfs: { make: [300, '/sbin/mkfs.xfs', '-q', '-f'], module: 'xfs' },
  btrfs: { make: [128, '/sbin/mkfs.btrfs', '-q', '-f'], module: 'btrfs' },
  squashfs: {
    pack: (folder, image) => ['/usr/bin/mksquashfs', folder, image, '-quiet', '-no-progress'],
    module: 'squashfs',
  },
  erofs: { pack: (folder, image) => ['/usr/bin/mkfs.erofs', image, folder], module: 'erofs' },
};

/** Where a place's cases are in the guest. */
export function baseOf(place: Place): string {
  return `/fs/${place}/cases`;
}

/** Whether the file system of a place is a module of Debian's kernels. */
export function isModule(place: Place): boolean {
  return FACTS[place].module !== undefined;
}

/** Whether a place can be written, so that the layout of its cases is made in the guest. */
export function isWritable(place: Place): boolean {
  return FACTS[place].pack === undefined;
}

/** Whether what is on it is still there after an unmount. */
export function outlivesUnmount(place: Place): boolean {
  return place !== 'tmpfs';
}

/**
 * Makes the images, by serial number. `sealed` lists the directories (relative to the base) that read-only
 * places have; each holds `secret` and its hard link `alias`.
 */
export function makeDisks(
  folder: string,
  places: ReadonlySet<Place>,
  sealed: (place: Place) => readonly string[],
): Readonly<Record<string, string>> {
  const disks: Record<string, string> = {};
  for (const place of places) {
    const { make, pack } = FACTS[place];
    const image = join(folder, `${place}.img`);
    if (make !== undefined) {
      const [sizeMb, command, ...args] = make;
      writeFileSync(image, '');
      truncateSync(image, sizeMb * MIB);
      execFileSync(command, [...args, image], { stdio: 'pipe' });
    } else if (pack !== undefined) {
      packFolder(join(folder, `${place}.files`), image, sealed(place), pack);
    } else continue;
    disks[place] = image;
  }
  return disks;
}

function packFolder(
  folder: string,
  image: string,
  directories: readonly string[],
  pack: NonNullable<PlaceFacts['pack']>,
): void {
  for (const it of directories) {
    const directory = join(folder, 'cases', it);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'secret'), 'secret\n');
    writeFileSync(join(directory, 'innocent'), 'innocent\n');
    linkSync(join(directory, 'secret'), join(directory, 'alias'));
  }
  const [command, ...args] = pack(folder, image);
  execFileSync(command, args, { stdio: 'pipe' });
  rmSync(folder, { recursive: true });
}

/** Shell lines that mount the places, each by the serial number of its disk. */
export function mountScript(places: ReadonlySet<Place>): string {
  const find =
    'disk_of() { for d in $(grep -lsx "$1 *" /sys/block/*/serial /sys/block/*/device/serial); do echo /dev/$(echo $d | cut -d/ -f4); done; }';
  const lines = [...places].map((place) => {
    const { module, make, pack, type = place } = FACTS[place];
    const load = module === undefined ? '' : `modprobe ${module}; `;
    const device = make === undefined && pack === undefined ? place : `$(disk_of ${place})`;
    return `${load}mkdir -p /fs/${place}; mount -t ${type} ${device} /fs/${place}`;
  });
  return [
    find,
    // A kernel whose modules Debian has dropped has none in its image.
    'if [ -s /usr/lib/modules/boot.list ]; then modprobe loop max_loop=64; modprobe overlay; modprobe vfat; modprobe nls_cp437; modprobe nls_ascii; fi',
    ...lines,
  ].join('\n');
}

/**
 * Shell lines that unmount those whose contents stay. What a case moved makes the enforcer walk its trees
 * again, and while it is in one the file system is busy, as with any program that lists a directory.
 */
export function unmountScript(places: ReadonlySet<Place>): string {
  const leave =
    'leave() { n=0; until umount $1; do n=$((n + 1)); [ $n -lt 240 ] || exit 1; sleep 1; done; }';
  const kept = [...places].filter(outlivesUnmount);
  return [leave, ...kept.map((place) => `leave /fs/${place}`)].join('\n');
}
