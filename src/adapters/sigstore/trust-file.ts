// The trust policy from a file, with the key files that it names. Relative key files lie beside the
// policy. Only local files: nothing that came from a registry is ever passed here.
//
// SPDX-License-Identifier: Apache-2.0

import { dirname, resolve } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { TrustedRootText, TrustPolicy } from '../../core/verify/trust.ts';
import { parseTrustPolicy } from '../../wire/trust.ts';
import { parseTrustedRoot } from '../../wire/trusted-root.ts';
import { readBounded } from '../disk/plain-file.ts';

/** Loads a trust policy; a file that is missing is told by its name. */
export function loadTrustPolicy(file: string): Result<TrustPolicy> {
  const bytes = readBytes(file);
  if (!bytes.ok) return bytes;
  return parseTrustPolicy(bytes.value, file, (key) => {
    const pem = readBytes(resolve(dirname(file), key));
    return pem.ok ? ok(pem.value.toString('latin1')) : pem;
  });
}

/** A trust policy as it is and as it would be with another trusted root. */
export interface RootChange {
  /** The file that the policy names. */
  readonly rootFile: string;
  /** Null where the file is missing or cannot be used: then anything is better. */
  readonly before: TrustedRootText | null;
  readonly next: TrustPolicy;
}

/** Reads a trust policy with these bytes in place of its trusted root. */
export function changeRoot(file: string, root: Uint8Array): Result<RootChange> {
  const bytes = readBytes(file);
  if (!bytes.ok) return bytes;
  let rootFile: string | null = null;
  const next = parseTrustPolicy(bytes.value, file, (named, what) => {
    const path = resolve(dirname(file), named);
    if (what === 'root') {
      rootFile = path;
      return ok(Buffer.from(root).toString('latin1'));
    }
    const pem = readBytes(path);
    return pem.ok ? ok(pem.value.toString('latin1')) : pem;
  });
  if (!next.ok) return next;
  if (rootFile === null) {
    const hints = ['name a file with `trustedRoot`, or use --out'];
    return err(failure('trust/root-invalid', `${file} names no trusted root file`, { hints }));
  }
  return ok({ rootFile, before: usableRoot(rootFile), next: next.value });
}

/** The trusted root in a file; null where there is none that can be used. */
export function usableRoot(file: string): TrustedRootText | null {
  const bytes = readBytes(file);
  const root = bytes.ok ? parseTrustedRoot(bytes.value) : bytes;
  return root.ok ? root.value : null;
}

function readBytes(path: string): Result<Buffer> {
  const bytes = readBounded(path, LIMITS.policyFileBytesMax);
  if (bytes.ok) return bytes;
  const causes = [bytes.error];
  return err(failure('trust/unreadable', `cannot read ${path}`, { causes }));
}
