// Which registries are spoken to through a gate: those that the credentials folder has an entry for, by
// exactly their host. Everybody else is spoken to directly, by an oras that knows no credentials at all.
//
// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { DOCKER_CONFIG_BYTES_MAX, findCredential } from '../../wire/docker-config.ts';
import { readBounded } from '../disk/plain-file.ts';
import { type Gate, openGate } from './gate.ts';
import { createSend } from './gate-http.ts';
import { createUpstream } from './gate-upstream.ts';
import type { OrasOptions } from './run.ts';

/** Finds the gate of a host; null when the host has no credentials. */
export type FindGate = (host: string) => Promise<Result<Gate | null>>;

/**
 * Makes the function that finds gates. The folder is read anew each time, so that a rotated credential
 * counts at the next poll; a gate stays open while its credential stays the same.
 */
export function createGates(options: OrasOptions): FindGate {
  const { credentialsDir, plainHttpHosts, tokenRealms } = options;
  if (credentialsDir === undefined) return async () => ok(null);
  const open = new Map<string, { readonly credential: string; readonly gate: Promise<Gate> }>();
  return async (host) => {
    const config = readConfig(join(credentialsDir, 'config.json'));
    if (!config.ok) return config;
    const found = findCredential(config.value, host);
    if (!found.ok) return found;
    if (found.value === null) return ok(null);
    const credential = JSON.stringify(found.value);
    const before = open.get(host);
    if (before?.credential === credential) return ok(await before.gate);
    const scheme = plainHttpHosts.includes(host) ? 'http' : 'https';
    const registry = new URL(`${scheme}://${host}`);
    const realms = { registry, allowed: tokenRealms ?? [], plainHttpHosts };
    const ask = createUpstream(createSend(options.caFile), realms, found.value);
    const gate = openGate(registry, ask);
    open.set(host, { credential, gate });
    return ok(await gate);
  };
}

function readConfig(path: string): Result<Uint8Array> {
  const bytes = readBounded(path, DOCKER_CONFIG_BYTES_MAX);
  if (bytes.ok) return bytes;
  return err(
    failure('config/unreadable', `the registry credentials ${path} cannot be read`, {
      causes: [bytes.error],
      hints: ['the folder of credentials holds a config.json, as docker login writes it'],
    }),
  );
}
