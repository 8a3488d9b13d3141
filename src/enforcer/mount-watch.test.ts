// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import { ok } from '../core/result.ts';
import { MountWatch } from './mount-watch.ts';
import { type Mount, parseMountinfo } from './mounts.ts';

const line = (id: number, dev: string, point: string) => `${id} 1 ${dev} / ${point} rw - ext4 x rw`;
const mountsOf = (...lines: string[]): readonly Mount[] => parseMountinfo(lines.join('\n'));
const ROOT = line(20, '8:1', '/');

/** Watches /srv/tree and /etc/file, then lets the mounts become others. */
function changedBy(before: readonly Mount[], after: readonly Mount[]): string | null {
  let now = before;
  const watch = new MountWatch(() => ok(now));
  watch.note(['/srv/tree', '/etc/file'], watch.take(), []);
  expect(watch.changed()).toBeNull();
  now = after;
  return watch.changed();
}

it.each([
  ['inside a tree', line(21, '8:2', '/srv/tree/a/b'), '/srv/tree'],
  ['over a path', line(21, '8:2', '/etc/file'), '/etc/file'],
  ['over what is above a path', line(21, '8:2', '/etc'), '/etc/file'],
  ['beside them', line(21, '8:2', '/srv/tree2'), null],
  ['elsewhere', line(21, '8:2', '/mnt'), null],
])('a mount %s is seen there', (_where, more, path) => {
  expect(changedBy(mountsOf(ROOT), mountsOf(ROOT, more))).toBe(path);
  expect(changedBy(mountsOf(ROOT, more), mountsOf(ROOT))).toBe(path);
});

it('another mount in the place of one is seen, the same device included', () => {
  const at = (id: number) => mountsOf(ROOT, line(id, '8:2', '/srv/tree/a'));
  expect(changedBy(at(21), at(22))).toBe('/srv/tree');
});

it('the order of mounts does not matter', () => {
  const more = line(21, '8:2', '/srv/tree/a');
  expect(changedBy(mountsOf(ROOT, more), mountsOf(more, ROOT))).toBeNull();
});

it('is not known before the first resolution and after forgetting', () => {
  const watch = new MountWatch(() => ok(mountsOf(ROOT)));
  expect(watch.isKnown).toBe(false);
  watch.note(['/a'], watch.take(), []);
  expect(watch.isKnown).toBe(true);
  watch.forget();
  expect([watch.isKnown, watch.changed()]).toEqual([false, null]);
});
