// Mounts of this process's mount namespace: where a filesystem's own path is on this host, and which
// filesystems hang below a directory. Format: proc(5), /proc/PID/mountinfo.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { err, failure, ok, type Result } from '../core/result.ts';

/** One line of mountinfo. */
export interface Mount {
  /** Of this mount; another one in its place has another. */
  readonly id: number;
  /** s_dev as the kernel encodes it: major in the upper bits, 20 bits of minor. */
  readonly dev: number;
  /** Which directory of the filesystem is mounted. */
  readonly root: string;
  readonly point: string;
}

const MINOR_BITS = 20;

/** The mounts that this process sees. A rule in force may deny reading /proc. */
export function readMounts(): Result<readonly Mount[]> {
  try {
    return ok(parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')));
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    return err(
      failure('stage/resolve-failed', 'the mounts of this host cannot be read', {
        causes: [cause.message],
      }),
    );
  }
}

/** Reads mountinfo; a line that does not fit is no mount. */
export function parseMountinfo(text: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [id, , device, root, point] = line.split(' ');
    const match = /^(\d+):(\d+)$/.exec(device ?? '');
    if (match === null || root === undefined || point === undefined) continue;
    const dev = Number(match[1]) * 2 ** MINOR_BITS + Number(match[2]);
    mounts.push({ id: Number(id), dev, root: unescapeOctal(root), point: unescapeOctal(point) });
  }
  return mounts;
}

/** The shortest path on this host of a path inside a filesystem; null when it is not mounted here. */
export function locate(mounts: readonly Mount[], dev: number, inside: string): string | null {
  const places = mounts
    .filter((it) => it.dev === dev && isBelow(inside, it.root))
    .map((it) => {
      const rest = it.root === '/' ? inside : inside.slice(it.root.length);
      return (it.point === '/' ? rest : `${it.point}${rest === '/' ? '' : rest}`) || '/';
    });
  return places.reduce<string | null>(
    (best, it) => (best === null || it.length < best.length ? it : best),
    null,
  );
}

/** What is mounted strictly below a directory. */
export function mountsBelow(mounts: readonly Mount[], directory: string): readonly Mount[] {
  return mounts.filter(({ point }) => point !== directory && isBelow(point, directory));
}

function isBelow(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

// Space, tab, newline and backslash are written as three octal digits, byte by byte.
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
