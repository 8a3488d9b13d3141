// The files of signing with an identity: signing configuration, trusted root, and the token where it does
// not come from the CI job. The token is a file, never an argument: arguments are for everybody to see.
//
// SPDX-License-Identifier: Apache-2.0

import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { SignerPort } from '../../ports.ts';
import { parseSigningConfig } from '../../wire/signing-config.ts';
import { parseTrustedRoot } from '../../wire/trusted-root.ts';
import { readBounded } from '../disk/plain-file.ts';
import { createKeylessSigner, findToken } from './keyless-signer.ts';

interface KeylessFiles {
  readonly signingConfig: string;
  readonly trustedRoot: string;
  readonly identityToken?: string;
}

/** Reads the files and makes the signer. */
export async function openKeylessSigner(
  { signingConfig, trustedRoot, identityToken }: KeylessFiles,
  nowMs = Date.now(),
): Promise<Result<SignerPort>> {
  const config = readBytes(signingConfig);
  if (!config.ok) return config;
  const services = parseSigningConfig(config.value, nowMs);
  if (!services.ok) return services;
  const rootBytes = readBytes(trustedRoot);
  if (!rootBytes.ok) return rootBytes;
  const root = parseTrustedRoot(rootBytes.value);
  if (!root.ok) return root;
  const token = identityToken === undefined ? await findToken() : readToken(identityToken);
  if (!token.ok) return token;
  return createKeylessSigner(services.value, token.value, root.value);
}

function readToken(path: string): Result<string> {
  const bytes = readBytes(path);
  return bytes.ok ? ok(bytes.value.toString('latin1').trim()) : bytes;
}

function readBytes(path: string): Result<Buffer> {
  const bytes = readBounded(path, LIMITS.policyFileBytesMax);
  if (bytes.ok) return bytes;
  const causes = [bytes.error];
  return err(failure('config/unreadable', `${path} cannot be read`, { causes }));
}
