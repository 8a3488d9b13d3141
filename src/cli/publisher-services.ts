// What the commands of the publisher's side need of the world; compose.ts fulfils it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { SourceFile } from '../core/publish/commit.ts';
import type { Repository } from '../core/reference.ts';
import type { Result } from '../core/result.ts';
import type { RegistryPort, RegistryWritePort, SignerPort, SourcePort } from '../ports.ts';

/** Where the passphrase of a key comes from: a file, or a variable of the environment by name. */
export type Passphrase =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'variable'; readonly name: string };

/** What signing with an identity needs. */
export interface KeylessFiles {
  readonly signingConfig: string;
  readonly trustedRoot: string;
  readonly identityToken?: string;
}

/** How a registry is reached. */
export interface RegistryReach {
  readonly oras?: string;
  /** Hosts (with port) that may be spoken to in plain HTTP. */
  readonly insecure: readonly string[];
  /** Where a registry is really spoken to, by the host of its name: a mirror or a forwarded port. */
  readonly endpoints?: ReadonlyMap<string, string>;
  readonly credentialsDir?: string;
  /** Token services that credentials may be shown to, besides the registry. */
  readonly tokenRealms?: readonly string[];
}

export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
}

export interface PublisherServices {
  /** YAML files at or below the paths, with the paths as given; sorted. */
  policyFiles(cwd: string, paths: readonly string[]): Promise<Result<readonly SourceFile[]>>;
  /** Writes new files; nothing is written when one of them exists. */
  writeNew(dir: string, files: readonly FileToWrite[]): Promise<Result<void>>;
  /** The policy repository at a folder, a work tree or a bare repository. */
  source(dir: string): SourcePort;
  registryWriter(
    repository: Repository,
    options: RegistryReach,
  ): Promise<Result<RegistryPort & RegistryWritePort>>;
  signer(keyFile: string, passphrase: Passphrase): Promise<Result<SignerPort>>;
  /** Signs with an identity; without a token file the CI job's own token. */
  keylessSigner(files: KeylessFiles): Promise<Result<SignerPort>>;
  generateKey(
    file: string,
    passphrase: Passphrase,
  ): Promise<Result<{ readonly publicKeyPem: string; readonly fingerprint: Digest }>>;
}
