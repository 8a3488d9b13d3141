// Is the oras command one that may be run? Absolute, a plain file that nobody else can replace, and
// new enough: versions before 1.3.3 can be made to write outside the folder they unpack into.
//
// SPDX-License-Identifier: Apache-2.0

import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { err, failure, ok, type Result } from '../../core/result.ts';

const VERSION_MIN = [1, 3, 3] as const;
const VERSION_LINE = /^Version:\s+(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?![-.\w])/m;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Checks owner and permissions of the command and of every folder above it. */
export async function checkOwnership(path: string): Promise<Result<string>> {
  if (!isAbsolute(path)) return untrusted(path, 'the path is not absolute');
  let real: string;
  try {
    real = await realpath(path);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    return untrusted(path, 'it is not there');
  }
  for (let at = real; ; at = dirname(at)) {
    const stat = await lstat(at);
    if (at === real && !stat.isFile()) return untrusted(at, 'it is not a plain file');
    // Of a sticky folder others cannot take away or replace what is not theirs.
    const sticky = stat.isDirectory() && (stat.mode & STICKY) !== 0;
    if ((stat.mode & WRITABLE_BY_OTHERS) !== 0 && !sticky) {
      return untrusted(at, 'group or others may write to it');
    }
    if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) {
      return untrusted(at, 'it belongs neither to root nor to the user that runs it');
    }
    if (at === dirname(at)) return ok(real);
  }
}

function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ELOOP';
}

/** Checks what `oras version` printed. */
export function checkVersion(path: string, printed: string): Result<void> {
  const match = VERSION_LINE.exec(printed);
  if (match === null) return untrusted(path, 'it does not say its version, or is no release');
  const found = [Number(match[1]), Number(match[2]), Number(match[3])] as const;
  const at = VERSION_MIN.findIndex((least, part) => found[part] !== least);
  if (at < 0 || (found[at] ?? 0) > (VERSION_MIN[at] ?? 0)) return ok(undefined);
  return untrusted(path, `version ${found.join('.')} is older than ${VERSION_MIN.join('.')}`);
}

function untrusted(path: string, why: string): Result<never> {
  return err(
    failure('host/tool-untrusted', `oras cannot be run: ${JSON.stringify(path)}`, {
      causes: [why],
      hints: [`install oras >= ${VERSION_MIN.join('.')}, owned by root, and give its path`],
    }),
  );
}
