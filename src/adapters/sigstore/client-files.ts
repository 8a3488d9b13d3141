// The files of `warder sigstore verify-bundle`: bundle, key, trusted root and artifact, each with its cap.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { ClientFact } from '../../core/verify/client.ts';
import type { TrustedRootText } from '../../core/verify/trust.ts';
import { digestOf } from '../../wire/content.ts';
import { parsePartialRoot } from '../../wire/trusted-root.ts';
import { readBounded } from '../disk/plain-file.ts';
import { createVerifier } from './verifier.ts';

interface ClientFiles {
  readonly bundle: string;
  readonly key: string | null;
  readonly trustedRoot: {
    readonly path: string;
    /** Nobody named it: without the file there is none. */
    readonly isOptional: boolean;
  };
  /** A file, or the digest that its name is where there is no such file. */
  readonly artifact: { readonly path: string; readonly digest: Digest | null };
}

/** Reads the files and verifies the bundle in a worker; answers what it proved, and of which artifact. */
export async function verifyClientFiles(
  files: ClientFiles,
): Promise<Result<{ readonly fact: ClientFact; readonly artifact: Digest }>> {
  const artifact = readArtifact(files.artifact);
  if (!artifact.ok) return artifact;
  const bundle = readFile(files.bundle, LIMITS.attestationBytesMax);
  if (!bundle.ok) return bundle;
  const key = files.key === null ? ok(null) : readFile(files.key, LIMITS.policyFileBytesMax);
  if (!key.ok) return key;
  const { path, isOptional } = files.trustedRoot;
  const root = isOptional && !existsSync(path) ? ok(null) : readRoot(path);
  if (!root.ok) return root;
  const fact = await createVerifier().check({
    bundle: bundle.value,
    artifact: artifact.value,
    key: key.value === null ? null : key.value.toString('latin1'),
    root: root.value,
  });
  if (!fact.ok) return fact;
  const named = artifact.value;
  return ok({ fact: fact.value, artifact: typeof named === 'string' ? named : digestOf(named) });
}

function readArtifact({ path, digest }: ClientFiles['artifact']): Result<Uint8Array | Digest> {
  if (digest !== null && !existsSync(path)) return ok(digest);
  return readFile(path, LIMITS.artifactBytesMax);
}

function readRoot(path: string): Result<TrustedRootText> {
  const bytes = readFile(path, LIMITS.policyFileBytesMax);
  return bytes.ok ? parsePartialRoot(bytes.value) : bytes;
}

function readFile(path: string, bytesMax: number): Result<Buffer> {
  const bytes = readBounded(path, bytesMax);
  if (bytes.ok) return bytes;
  const [causes, hints] = [[bytes.error], ['name a file that is there']];
  return err(failure('cli/file-unreadable', `${path} cannot be read`, { causes, hints }));
}
