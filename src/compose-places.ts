// Which registries serve the repository of an agent: the one of its reference, and its mirrors. Apart from
// compose-registry.ts, so that commands of one place load no more than they need.
//
// SPDX-License-Identifier: Apache-2.0

import { openRegistry } from './compose-registry.ts';
import { type Place, Places } from './controller/places.ts';
import { LIMITS } from './core/limits.ts';
import { formatRepository, type Repository } from './core/reference.ts';
import type { ClockPort, RegistryPort } from './ports.ts';
import type { AgentConfig } from './wire/config.ts';

// The rest is for the last place's own failure to be told, and not that time ran out.
const SHARED_PART = 0.9;

/**
 * The places of an agent's repository. Each has a registry of its own: token services that may see the
 * credentials of one may not see those of another.
 */
export async function openPlaces(
  {
    reference,
    mirrors,
    registry,
    poll,
  }: Pick<AgentConfig, 'reference' | 'mirrors' | 'registry' | 'poll'>,
  clock: ClockPort,
): Promise<RegistryPort> {
  const { oras, insecure, endpoints, credentialsDir, tokenRealms } = registry;
  const open = (repository: Repository, realms: readonly string[]) =>
    openRegistry(repository, {
      insecure,
      tokenRealms: realms,
      checkNow: true,
      endpoints: new Map(Object.entries(endpoints)),
      ...(oras === undefined ? {} : { oras }),
      ...(credentialsDir === undefined ? {} : { credentialsDir }),
    });
  const origin = { repository: reference.repository, tokenRealms };
  if (mirrors.length === 0) return open(origin.repository, tokenRealms);
  const places: Place[] = [];
  for (const { repository, tokenRealms } of [origin, ...mirrors]) {
    const registry = await open(repository, tokenRealms);
    places.push({ name: formatRepository(repository), repository, registry });
  }
  const longestMs = Math.min(LIMITS.fetchTimeoutMs, poll.timeoutMs);
  return new Places({ places, clock, budgetMs: longestMs * SHARED_PART });
}
