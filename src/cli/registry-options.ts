// The options of every command that speaks to a registry, and what they choose.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { collect } from './options.ts';
import type { RegistryReach } from './publisher-services.ts';

const ENDPOINT_HELP = 'speak to HOST[:PORT] where a name says another host (NAME=HOST:PORT)';

/** Option values as commander gives them. */
export interface RegistryOptions {
  readonly oras?: string;
  readonly insecureRegistry?: readonly string[];
  readonly endpoint?: ReadonlyMap<string, string>;
  readonly credentials?: string;
  readonly tokenRealm?: readonly string[];
}

/** Adds the options, after those of the command itself. */
export function addRegistryOptions(command: Command): Command {
  return command
    .option('--oras <path>', 'absolute path of oras')
    .option(
      '--insecure-registry <host>',
      'HOST:PORT that may be plain HTTP; may be repeated',
      collect,
    )
    .option('--endpoint <name=host>', ENDPOINT_HELP, endpoint)
    .option('--credentials <dir>', 'folder with the config.json of registry credentials')
    .option(
      '--token-realm <host>',
      'HOST:PORT of a token service that may see them; may be repeated',
      collect,
    );
}

/** What they choose; a relative folder is below `cwd`. */
export function toReach(options: RegistryOptions, cwd: string): RegistryReach {
  return {
    insecure: options.insecureRegistry ?? [],
    tokenRealms: options.tokenRealm ?? [],
    ...(options.endpoint === undefined ? {} : { endpoints: options.endpoint }),
    ...(options.oras === undefined ? {} : { oras: options.oras }),
    ...(options.credentials === undefined
      ? {}
      : { credentialsDir: resolve(cwd, options.credentials) }),
  };
}

/** Collects `NAME=HOST[:PORT]`: a mirror or a forwarded port, by the host of the signed name. */
function endpoint(
  value: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const [name, host, ...rest] = value.split('=');
  if (!name || !host || rest.length > 0)
    throw new InvalidArgumentError('Expected NAME=HOST[:PORT].');
  return new Map([...before, [name, host]]);
}
