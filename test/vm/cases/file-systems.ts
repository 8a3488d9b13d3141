// What is special about file systems: subvolumes, snapshots, read-only images, unstable identities, devices
// that get another number. Overlayfs has a file of its own, layers.ts.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Case, D, D2, exempt, type Place, SECRET, secret, X } from './case.ts';

/** Replaced, aliased, moved: what holds on every file system that can be written. */
function onPlace(place: Place): readonly Case[] {
  return [
    {
      id: `31-${place}`,
      title: `on ${place}: by identity, by alias and by name`,
      place,
      setup: `${SECRET}; ln $D/secret $D/alias; echo new > $D/new`,
      protect: secret,
      deny: 'all',
      attempts: [
        D('open-read', '$D/secret'),
        D('open-read', '$D/alias'),
        D('rename', '$D/new', '$D/secret'),
        D('unlink', '$D/secret'),
        {
          // In audit the attempts before have moved and removed them.
          ...exempt('rename', '$D/new', '$D/secret'),
          before: '/usr/local/bin/exempt-op mknod $D/new >/dev/null',
        },
        D('open-read', '$D/secret'),
      ],
    },
    {
      id: `31-${place}-tree`,
      title: `on ${place}: a tree, what enters it and what would leave it`,
      place,
      setup: 'mkdir -p $D/tree/sub $D/loose; echo s > $D/tree/sub/file; echo s > $D/loose/file',
      protect: [{ tree: '$D/tree' }],
      deny: ['read'],
      attempts: [
        D('open-read', '$D/tree/sub/file'),
        D('rename', '$D/tree/sub/file', '$D/file'),
        A('rename', '$D/loose', '$D/tree/loose'),
        D('open-read', '$D/tree/loose/file'),
      ],
    },
  ];
}

/** An image that cannot be written holds `secret`, its hard link `alias`, and `innocent`. */
function onImage(place: Place): Case {
  return {
    id: `31-${place}`,
    title: `on ${place}: by identity and by alias`,
    place,
    setup: 'test -f $D/secret',
    protect: secret,
    deny: 'all',
    attempts: [
      D('open-read', '$D/secret'),
      D('open-read', '$D/alias'),
      A('open-read', '$D/innocent'),
    ],
  };
}

const BTRFS: readonly Case[] = [
  {
    id: '24',
    title: 'btrfs: the same inode number in another subvolume is innocent',
    place: 'btrfs',
    setup:
      'op subvolume-make $D one; op subvolume-make $D two; echo s > $D/one/secret; echo s > $D/two/secret',
    protect: [{ path: '$D/one/secret' }],
    deny: 'all',
    attempts: [
      A('same-number', '$D/one/secret', '$D/two/secret'),
      A('open-rdwr', '$D/two/secret'),
      D('open-read', '$D/one/secret'),
    ],
  },
  {
    id: '25',
    title: 'btrfs: a snapshot older than the rule is another file, as a copy is',
    place: 'btrfs',
    setup:
      'op subvolume-make $D vol; echo s > $D/vol/secret; sync; op snapshot-make $D/vol $D snap',
    protect: [{ path: '$D/vol/secret' }],
    deny: 'all',
    attempts: [
      A('same-number', '$D/vol/secret', '$D/snap/secret'),
      X('open-read', '$D/snap/secret'),
      D('open-read', '$D/vol/secret'),
    ],
  },
  {
    id: '25b',
    title: 'btrfs: a snapshot below a tree is covered by the tree',
    place: 'btrfs',
    setup:
      'mkdir $D/tree; op subvolume-make $D/tree vol; echo s > $D/tree/vol/secret; sync; op snapshot-make $D/tree/vol $D/tree snap',
    protect: [{ tree: '$D/tree' }],
    deny: 'all',
    attempts: [D('open-read', '$D/tree/vol/secret'), D('open-read', '$D/tree/snap/secret')],
  },
  {
    id: '26',
    title: 'a reflink copy made before the rule is a copy',
    place: 'btrfs',
    setup: `${SECRET}; op reflink $D/secret $D/copy`,
    protect: secret,
    deny: 'all',
    attempts: [X('open-read', '$D/copy'), D('open-read', '$D/secret')],
  },
];

const EXTENT = 'head -c 4096 /dev/zero > $D/secret; cp $D/secret $D/copy; sync';
const shared = (how: string) => ['share-opened', '$D/secret', '$D/copy', '/usr/local/bin/op', how];

/** Sharing blocks through a descriptor that an exempt program opened, as old ones are. */
const SHARED: readonly Case[] = [
  {
    id: '54',
    title: 'FICLONE and FIDEDUPERANGE through an open descriptor',
    place: 'btrfs',
    setup: EXTENT,
    protect: secret,
    deny: 'all',
    attempts: [exempt(...shared('clone')), exempt(...shared('dedupe'))],
    everyVariant: false,
  },
  {
    id: '54b',
    title: 'FICLONE and FIDEDUPERANGE through it, and the rule lists use',
    place: 'btrfs',
    setup: EXTENT,
    protect: secret,
    deny: ['read', 'use'],
    attempts: [
      { ...D(...shared('clone')), as: 'exempt' },
      // The kernel asks about the source once for all ranges and once for each.
      { ...D2(...shared('dedupe')), as: 'exempt' },
    ],
    everyVariant: false,
  },
];

/** The device numbers count up, so that no image ever gets its old one again. */
const NEXT_LOOP =
  'n=$(($(cat /run/loops 2>/dev/null || echo 7) + 1)); echo $n > /run/loops; losetup /dev/loop$n $D/image; mount /dev/loop$n $D/mnt';

const LOOP: readonly Case[] = [
  {
    id: '32',
    title: 'a loop device that is attached under another number',
    setup:
      'mkdir $D/mnt; truncate -s 1M $D/image; mke2fs -q -F $D/image; mount -o loop $D/image $D/mnt; echo s > $D/mnt/secret; ln $D/mnt/secret $D/mnt/alias; umount $D/mnt',
    attach: NEXT_LOOP,
    detach: 'd=$(grep " $D/mnt " /proc/mounts | cut -d" " -f1); umount $D/mnt; losetup -d $d',
    protect: [{ path: '$D/mnt/secret' }],
    deny: 'all',
    attempts: [D('open-read', '$D/mnt/secret'), D('open-read', '$D/mnt/alias')],
  },
];

const QUOTA: readonly Case[] = [
  {
    id: '45c',
    title: 'quotaon: the kernel itself would open it',
    setup:
      'mkdir $D/mnt; truncate -s 1M $D/image; mke2fs -q -F $D/image; mount -o loop $D/image $D/mnt; echo s > $D/mnt/secret; umount $D/mnt',
    attach: 'mount -t ext4 -o loop,usrquota $D/image $D/mnt',
    detach: 'umount $D/mnt',
    protect: [{ path: '$D/mnt/secret' }],
    deny: 'all',
    attempts: [D('quotaon', '$D/mnt/secret')],
    everyVariant: false,
  },
];

const fat = (lines: string) =>
  `mkdir $D/mnt; truncate -s 1M $D/image; mkfs.fat $D/image >/dev/null 2>&1; mount -o loop -t vfat $D/image $D/mnt; ${lines}; umount $D/mnt`;
const ATTACH_FAT = 'mount -o loop -t vfat $D/image $D/mnt';
const DETACH_FAT = 'umount $D/mnt';

const FAT: readonly Case[] = [
  {
    id: '121',
    title: 'vfat: a file in the root directory is protected by its name, however it is spelled',
    setup: fat('echo s > $D/mnt/secret; echo x > $D/mnt/new'),
    attach: ATTACH_FAT,
    detach: DETACH_FAT,
    protect: [{ path: '$D/mnt/secret' }],
    deny: 'all',
    attempts: [
      D('open-read', '$D/mnt/secret'),
      D('open-write', '$D/mnt/SECRET'),
      D('open-read', '$D/mnt/Secret.'),
      D('rename', '$D/mnt/new', '$D/mnt/sECRET'),
      {
        ...A('open-read', '$D/mnt/new'),
        before: '/usr/local/bin/exempt-op mknod $D/mnt/new >/dev/null',
      },
      exempt('rename', '$D/mnt/secret', '$D/mnt/moved'),
      X('open-read', '$D/mnt/moved'),
    ],
  },
  {
    id: '121b',
    title: 'vfat: a tree at the mount point covers everything',
    setup: fat('mkdir $D/mnt/dir; echo s > "$D/mnt/dir/a long name.text"'),
    attach: ATTACH_FAT,
    detach: DETACH_FAT,
    protect: [{ tree: '$D/mnt' }],
    deny: 'all',
    attempts: [
      D('open-read', '$D/mnt/dir/a long name.text'),
      D('open-read', '$D/mnt/DIR/ALONGN~1.TEX'),
    ],
  },
];

/** File systems, each case in every variant that its place allows. */
export const FILE_SYSTEMS: readonly Case[] = [
  ...onPlace('xfs'),
  ...onPlace('btrfs'),
  onImage('squashfs'),
  onImage('erofs'),
  ...BTRFS,
  ...SHARED,
  ...[...LOOP, ...QUOTA, ...FAT].map((it): Case => ({ ...it, mountsModule: true })),
];
