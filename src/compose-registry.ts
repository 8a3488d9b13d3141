// Which adapter serves a repository: a registry by oras, or an OCI layout directory.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Repository } from './core/reference.ts';

export interface RegistryChoices {
  readonly oras?: string;
  /** Hosts (with port) that may be spoken to in plain HTTP. */
  readonly insecure: readonly string[];
  readonly endpoints?: ReadonlyMap<string, string>;
  readonly credentialsDir?: string;
  /** Token services that credentials may be shown to, besides the registry. */
  readonly tokenRealms?: readonly string[];
  /** Check the tool now and not when it is first needed. */
  readonly checkNow?: boolean;
}

/** A registry or an OCI layout, behind the same ports. */
export async function openRegistry(repository: Repository, options: RegistryChoices) {
  if (repository.kind === 'oci-layout') {
    return (await import('./adapters/oci-layout/registry.ts')).createLayoutRegistry();
  }
  const { createOrasRegistry } = await import('./adapters/oras/registry.ts');
  return createOrasRegistry({
    orasPath: options.oras ?? findTool('oras'),
    plainHttpHosts: options.insecure,
    checkNow: options.checkNow === true,
    ...(options.credentialsDir === undefined ? {} : { credentialsDir: options.credentialsDir }),
    ...(options.tokenRealms === undefined ? {} : { tokenRealms: options.tokenRealms }),
    ...(options.endpoints === undefined ? {} : { endpoints: options.endpoints }),
  });
}

/**
 * The absolute path of a program that Warder runs: from a fixed list, never from PATH, because whoever
 * sets PATH would choose the program.
 */
export function findTool(name: string): string {
  const places = [
    fileURLToPath(new URL(`../.tools/bin/${name}`, import.meta.url)),
    `/usr/lib/warder/bin/${name}`,
    `/usr/local/bin/${name}`,
    `/usr/bin/${name}`,
  ];
  return places.find((it) => existsSync(it)) ?? `/usr/bin/${name}`;
}
