// The trust policy from a file, with the key files that it names. Relative key files lie beside the
// policy. Only local files: nothing that came from a registry is ever passed here.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import { parseTrustPolicy } from '../../wire/trust.ts';

/** Loads a trust policy; a file that is missing is told by its name. */
export function loadTrustPolicy(file: string): Result<TrustPolicy> {
  const bytes = readBytes(file);
  if (!bytes.ok) return bytes;
  return parseTrustPolicy(bytes.value, file, (key) => {
    const pem = readBytes(resolve(dirname(file), key));
    return pem.ok ? ok(pem.value.toString('latin1')) : pem;
  });
}

function readBytes(path: string): Result<Buffer> {
  try {
    const { size } = statSync(path);
    if (size > LIMITS.policyFileBytesMax) return unreadable(path, `it has ${size} bytes`);
    return ok(readFileSync(path));
  } catch (cause) {
    // System errors carry a code; everything else is a bug.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    return unreadable(path, String(cause.code));
  }
}

function unreadable(path: string, why: string): Result<never> {
  return err(failure('trust/unreadable', `cannot read ${path}`, { causes: [why] }));
}
