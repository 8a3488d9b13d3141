// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { locate, mountsBelow, parseMountinfo } from './mounts.ts';

const TEXT = [
  '21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw',
  '22 21 0:20 / /run rw - tmpfs tmpfs rw',
  '23 21 8:1 /var/data /srv/d rw - ext4 /dev/sda1 rw',
  '24 21 8:2 / /mnt/with\\040space rw - ext4 /dev/sda2 rw',
  'broken',
].join('\n');
const mounts = parseMountinfo(TEXT);
const EXT4 = 8 * 2 ** 20 + 1;

it('finds the path of a filesystem on this host, whatever it is called there', () => {
  expect(locate(mounts, EXT4, '/etc/shadow')).toBe('/etc/shadow');
  expect(locate(mounts, 20, '/warder/x')).toBe('/run/warder/x');
  expect(locate(mounts, 8 * 2 ** 20 + 2, '/')).toBe('/mnt/with space');
  expect(locate(mounts, EXT4, '/var/data/x')).toBe('/srv/d/x');
  expect(locate(mounts, EXT4, '/var/database')).toBe('/var/database');
  expect(locate(mounts, 99, '/x')).toBeNull();
});

it('finds what is mounted strictly below a directory', () => {
  const pointsBelow = (directory: string) => mountsBelow(mounts, directory).map((it) => it.point);
  expect(pointsBelow('/run')).toEqual([]);
  expect(pointsBelow('/mnt')).toEqual(['/mnt/with space']);
  expect(pointsBelow('/')).toEqual(['/run', '/srv/d', '/mnt/with space']);
});
