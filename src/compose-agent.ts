// Composes the agent from its configuration: stores, ports, reporters; the controller does the rest.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { systemClock } from './adapters/clock/system-clock.ts';
import { writeFileAtomic } from './adapters/disk/atomic-file.ts';
import { openStore } from './adapters/disk/store.ts';
import { connectEnforcer } from './adapters/enforcer-client/client.ts';
import { failureLog, logReporter } from './adapters/log/log.ts';
import { metricsReporter } from './adapters/metrics/metrics.ts';
import { hostProbes } from './adapters/probe/probe.ts';
import { statusFileReporter } from './adapters/status-file/status-file.ts';
import { systemdReporter } from './adapters/systemd/notify.ts';
import { openPlaces } from './compose-places.ts';
import { runAgent } from './controller/daemon.ts';
import { newerInForce, TrustFollower, type TrustRoute } from './controller/follow-trust.ts';
import type { AgentPorts } from './controller/interpret.ts';
import { Places } from './controller/places.ts';
import { createPollRequests } from './controller/requests.ts';
import type { MachineSetup } from './core/machine/state.ts';
import { VERSION } from './core/product.ts';
import { formatRepository } from './core/reference.ts';
import { err, failure, ok, type Result } from './core/result.ts';
import { judge } from './core/verify/judge.ts';
import type { TrustPolicy } from './core/verify/trust.ts';
import type { ReporterPort } from './ports.ts';
import { type AgentConfig, parseAgentConfig, placesOf } from './wire/config.ts';
import { parseEnforcerConfig } from './wire/enforcer-config.ts';

const REPLY_TIMEOUT_MS = 30_000;
const ACTIVATE_TIMEOUT_MS = 180_000;
// Status and metrics are for everybody; state is not.
const PUBLIC_MODE = 0o644;

/** Runs the agent of a configuration file until the signal aborts. SIGHUP asks for a poll now. */
export async function runConfiguredAgent(file: string, stop: AbortSignal): Promise<Result<void>> {
  const config = readConfig(file, parseAgentConfig);
  if (!config.ok) return config;
  const { loadTrustPolicy } = await import('./adapters/sigstore/trust-file.ts');
  const trust = loadTrustPolicy(config.value.trust);
  if (!trust.ok) return trust;
  const store = openStore({
    folder: config.value.stateDir,
    keepPrevious: config.value.keepPrevious,
    onLostState: config.value.onLostState,
  });
  if (!store.ok) return store;
  const requests = createPollRequests();
  const onRequest = () => requests.request();
  process.on('SIGHUP', onRequest);
  try {
    const ports = await openPorts(config.value, trust.value, store.value);
    return await runFollowing(config.value, ports, requests, stop);
  } finally {
    process.off('SIGHUP', onRequest);
    store.value.close();
  }
}

/** Runs the machine, and begins it again whenever another trust policy is in force: a new start. */
async function runFollowing(
  config: AgentConfig,
  first: AgentPorts,
  requests: ReturnType<typeof createPollRequests>,
  stop: AbortSignal,
): Promise<Result<void>> {
  const { parseTrustDocument } = await import('./wire/signed-trust.ts');
  const { registry, enforcer, clock } = first;
  const route: TrustRoute = {
    ...{ registry, enforcer, clock, parse: parseTrustDocument },
    repository: config.reference.repository,
    channel: config.channel,
    tell: failureLog(config.logLevel, 'a version of the trust policy was refused'),
  };
  let trust = (await newerInForce(first.trust, route)) ?? first.trust;
  for (;;) {
    const changed = new AbortController();
    const follower = new TrustFollower(trust, route);
    let next: TrustPolicy | null = null;
    const follow: ReporterPort = {
      report: async ({ conditions }, outcome) => {
        const outdated = conditions.find((it) => it.type === 'TrustOutdated');
        if (outcome !== null) next ??= await follower.look(outdated?.status === 'True');
        if (next !== null) changed.abort();
        return ok(undefined);
      },
    };
    const ports = { ...first, trust, reporters: [...first.reporters, follow] };
    const until = AbortSignal.any([stop, changed.signal]);
    const failed = await runAgent(toSetup(config, trust), ports, requests, until);
    if (failed !== null) return err(failed);
    if (stop.aborted || next === null) return ok(undefined);
    trust = next;
    requests.request();
  }
}

function toSetup(config: AgentConfig, trust: TrustPolicy): MachineSetup {
  return {
    reference: config.reference,
    places: placesOf(config).map(formatRepository),
    repository: config.repository ?? formatRepository(config.reference.repository),
    channel: config.channel,
    agentVersion: VERSION,
    kernelRelease: release(),
    labels: config.labels,
    trust,
    judge,
    schedule: {
      intervalMs: config.poll.intervalMs,
      pollTimeoutMs: config.poll.timeoutMs,
      backoffMinMs: config.poll.backoffMinMs,
      backoffMaxMs: config.poll.backoffMaxMs,
    },
    probes: config.probes.map((it) => it.name),
  };
}

async function openPorts(
  config: AgentConfig,
  trust: TrustPolicy,
  store: AgentPorts['store'],
): Promise<AgentPorts> {
  const { createVerifier } = await import('./adapters/sigstore/verifier.ts');
  const clock = systemClock();
  const registry = await openPlaces(config, clock);
  const verifier = createVerifier();
  verifier.warm();
  return {
    registry,
    verifier,
    store,
    enforcer: connectEnforcer({
      socketPath: config.enforcerSocket,
      client: `warder-agent/${VERSION}`,
      replyTimeoutMs: REPLY_TIMEOUT_MS,
      activateTimeoutMs: ACTIVATE_TIMEOUT_MS,
      ...(config.source === undefined ? {} : { source: config.source }),
    }),
    probes: hostProbes(config.probes),
    reporters:
      registry instanceof Places ? registry.around(reportersOf(config)) : reportersOf(config),
    clock,
    trust,
  };
}

function reportersOf(config: AgentConfig): readonly ReporterPort[] {
  const { metricsFile, statusFile, logLevel } = config;
  const writer = (path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    return (text: string) => writeFileAtomic(path, Buffer.from(text), { mode: PUBLIC_MODE });
  };
  return [
    logReporter(logLevel),
    statusFileReporter(writer(statusFile)),
    ...(metricsFile === undefined ? [] : [metricsReporter(writer(metricsFile))]),
    systemdReporter(process.env['NOTIFY_SOCKET']),
  ];
}

/** Says which kind of configuration a file is and whether it holds, without acting on it. */
export async function checkConfigFile(file: string): Promise<Result<{ readonly kind: string }>> {
  const isEnforcer = (bytes: Uint8Array) =>
    /^apiVersion:\s*["']?warder\.dev\/enforcer\//m.test(Buffer.from(bytes).toString('latin1'));
  return readConfig<{ readonly kind: string }>(file, (bytes) => {
    if (isEnforcer(bytes)) {
      const parsed = parseEnforcerConfig(bytes, file);
      return parsed.ok ? ok({ kind: 'configuration of the enforcer' }) : parsed;
    }
    const parsed = parseAgentConfig(bytes, file);
    return parsed.ok ? ok({ kind: 'configuration of the agent' }) : parsed;
  });
}

function readConfig<T>(
  file: string,
  parse: (bytes: Uint8Array, file: string) => Result<T>,
): Result<T> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    return err(
      failure('config/unreadable', `${JSON.stringify(file)} cannot be read`, {
        causes: [code],
        hints: ['name the file with --config'],
      }),
    );
  }
  return parse(bytes, file);
}
