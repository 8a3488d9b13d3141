// The files that an administrator writes on a host of the laboratory: trust policy, enforcer, agent.
//
// SPDX-License-Identifier: Apache-2.0

import type { HostConfiguration } from './host.ts';

/** The guest's name for this machine's loopback. */
const HOST_IN_GUEST = '10.0.2.2';

/** What a host must know. */
export interface HostFacts {
  /** Canonical repository of the bundles: the name that is signed. */
  readonly repository: string;
  readonly channel: string;
  /** Canonical URL of the policy repository in Git. */
  readonly source: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
  /** The key that may sign orders of break-glass. */
  readonly keeperPem: string;
  /** Port on this machine's loopback at which the registry is reached. */
  readonly registryPort: number;
  readonly probes: readonly HostProbe[];
  /** Where enforcer and agent each have a folder of their own. */
  readonly stateDir: string;
}

type ScopeFacts = Pick<HostFacts, 'repository' | 'channel' | 'source' | 'keyId' | 'publicKeyPem'>;

/** A further source of bundles, by the name that the host gives it. */
export interface SourceFacts extends ScopeFacts {
  readonly name: string;
}

/** A health check of the host: it must pass before a new generation is confirmed. */
export interface HostProbe {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** The three files. YAML is JSON with more ways to write it; strings are quoted as JSON. */
export function writeConfiguration(facts: HostFacts): HostConfiguration {
  return { trust: trustOf(facts), enforcer: enforcerOf(facts), agent: agentOf(facts) };
}

function trustOf(facts: HostFacts): string {
  return `apiVersion: warder.dev/trust/v1
version: 1
breakGlass:
  threshold: 1
  keys:
    - { id: keeper, pem: ${JSON.stringify(facts.keeperPem)} }
policies:
${scopeOf(facts)}`;
}

function scopeOf({ repository, channel, source, keyId, publicKeyPem }: ScopeFacts): string {
  return `  - name: production
    scope: ${repository}
    channels: [${channel}]
    require:
      release:
        minimumMatches: 1
        anyOf:
          - id: ${keyId}
            key: { pem: ${JSON.stringify(publicKeyPem)}, notBefore: 2020-01-01, notAfter: 2099-01-01 }
      provenance:
        builderIds: [${JSON.stringify(`${source}/publish`)}]
        buildTypes: ["https://warder.dev/buildtypes/policy/v1"]
        sourceRepositories: [${JSON.stringify(source)}]
`;
}

/** What a host has that follows a second source, too: `agent` is for the agent of that one. */
export function addSource(
  { trust, enforcer, agent }: HostConfiguration,
  { name, repository, channel, ...others }: SourceFacts,
): HostConfiguration {
  const scope = scopeOf({ repository, channel, ...others }).replace('production', name);
  return {
    trust: `${trust.replace('version: 1', 'version: 2')}${scope}`,
    enforcer: `${enforcer}sources:\n  - { name: ${name}, repository: ${repository}, channel: ${channel} }\n`,
    agent: `${agent
      .replace(/^reference: .*$/m, `reference: ${repository}:${channel}`)
      .replace(/^(stateDir: .*)$/m, `$1-${name}`)}source: ${name}\n`,
  };
}

function enforcerOf({ repository, channel, stateDir }: HostFacts): string {
  return `apiVersion: warder.dev/enforcer/v1
stateDir: ${stateDir}/enforcer
repository: ${repository}
channel: ${channel}
`;
}

// The shortest interval there is, so that people who watch need not wait; a fleet would use minutes.
function agentOf({ repository, channel, registryPort, probes, stateDir }: HostFacts): string {
  const endpoint = `${HOST_IN_GUEST}:${registryPort}`;
  const host = repository.slice(0, repository.indexOf('/'));
  return `apiVersion: warder.dev/agent/v1
reference: ${repository}:${channel}
channel: ${channel}
stateDir: ${stateDir}/agent
registry:
  oras: /usr/bin/oras
  insecure: [${JSON.stringify(endpoint)}]
  endpoints: { ${JSON.stringify(host)}: ${JSON.stringify(endpoint)} }
poll: { intervalMs: 1000, backoffMinMs: 500, backoffMaxMs: 1000 }
probes: ${JSON.stringify(probes)}
`;
}
