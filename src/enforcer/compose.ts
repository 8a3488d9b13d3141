// The composition root of the privileged process: from a configuration to a running server. The only
// file here that names adapters beside the store's.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeFileAtomic } from '../adapters/disk/atomic-file.ts';
import { acquireLock } from '../adapters/disk/lock.ts';
import { loadAddon } from '../adapters/kernel/addon.ts';
import { descriptorOf, Kernel } from '../adapters/kernel/kernel.ts';
import { createVerifier } from '../adapters/sigstore/verifier.ts';
import type { ProofReport } from '../core/enforcement.ts';
import { hostFailure, judgeHost } from '../core/enforcer/host.ts';
import type { HostFacts } from '../core/enforcer/kernel.ts';
import { type Enforcing, judgeEnforcing } from '../core/enforcer/proof.ts';
import type { Peer } from '../core/enforcer/roles.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { ClockPort } from '../ports.ts';
import type { EnforcerConfig } from '../wire/enforcer-config.ts';
import { findAccount } from './accounts.ts';
import type { Alerts } from './alerts.ts';
import { assemble } from './assemble.ts';
import type { Enforcer } from './enforcer.ts';
import type { KernelPort } from './kernel-port.ts';
import { readMounts } from './mounts.ts';
import { findGroup, groupsOf, readBootId, readUptimeMs } from './processes.ts';
import { proofMetrics } from './proof-metrics.ts';
import { planSelf, realProgram, type SelfPlan } from './self-protection.ts';
import { startServer } from './server.ts';
import { type OpenedStore, openStore } from './store/open.ts';
import { type TrustAtStart, takeTrust } from './trust-in-force.ts';

const BOOT_OFF = 'warder.enforce=0';
const SERVER_LIMITS = {
  connectionsMax: 32,
  limits: { frameMs: 30_000, idleMs: 600_000, unsentBytesMax: 1024 * 1024 },
} as const;
/** What is asked of this host and of nothing else. */
const HOST = { uptimeMs: readUptimeMs, findGroup, mounts: readMounts } as const;
const METRICS_MODE = 0o644; // for everybody, as the agent's
const OBJECT = fileURLToPath(new URL('../../bpf/build/warder.bpf.o', import.meta.url));

/** What the process needs of its surroundings. */
export interface Surroundings {
  readonly clock: ClockPort;
  readonly version: string;
  readonly configPath: string;
  readonly log: (level: 'info' | 'warn', message: string, alert: Failure | null) => void;
}

/** A running enforcer. */
export interface RunningEnforcer {
  /** Resolves with what a request threw. The restart converges; the kernel goes on enforcing. */
  readonly bug: Promise<unknown>;
  /** Reads the trust policy file again; what it may not change is an alert. */
  reload(): Promise<void>;
  /** Stops serving; the kernel goes on enforcing. */
  close(): Promise<void>;
}

/** Everything but the socket, with nothing of the kernel touched. */
interface Prepared {
  readonly enforcer: Enforcer;
  readonly kernel: KernelPort;
  /** Makes ready what the first bundle would wait for. */
  warm(): void;
  /** Takes the trust policy over that was read, where it is newer than the one in force. */
  takeAtStart(): Promise<void>;
  /** Reads its file again. */
  reload(): Promise<void>;
  /** Ends the process's part; the kernel goes on enforcing. */
  close(): void;
}

/** Starts everything, in an order in which each step may refuse without leaving traces. */
export async function composeEnforcer(
  config: EnforcerConfig,
  around: Surroundings,
): Promise<Result<RunningEnforcer>> {
  const owners = readOwners(config);
  if (!owners.ok) return owners;
  const prepared = prepare(config, around);
  if (!prepared.ok) return prepared;
  const { enforcer, kernel, warm, takeAtStart, reload, close } = prepared.value;
  const started = await enforcer.start();
  if (!started.ok) return started;
  around.log('info', `enforcing: ${started.value.kind}`, null);
  // After the start, which judged by what was in force: now it is known what a newer file would distrust.
  await takeAtStart();
  const bug = Promise.withResolvers<unknown>();
  const server = await startServer({
    path: config.socket.path,
    owners: owners.value,
    enforcer,
    enforcerVersion: around.version,
    peerOf: (socket) => readPeer(kernel, socket),
    ...SERVER_LIMITS,
    onBug: bug.resolve,
  });
  const timer = startDraining(enforcer, config.drainMs);
  const proving = new AbortController();
  keepWatch(enforcer, proving.signal).catch(bug.resolve);
  warm();
  kernel.notify('READY=1');
  return ok({
    bug: bug.promise,
    reload,
    close: async () => {
      kernel.notify('STOPPING=1');
      clearInterval(timer);
      proving.abort();
      await server.close();
      close();
    },
  });
}

/**
 * Makes everything anew beside what is pinned, puts the best known generation in force, removes what was
 * there, and ends. Answers whether what is enforced now is proven.
 */
export async function repairEnforcer(
  config: EnforcerConfig,
  around: Surroundings,
): Promise<Result<Enforcing>> {
  const prepared = prepare(config, around);
  if (!prepared.ok) return prepared;
  const { enforcer, close } = prepared.value;
  const started = await enforcer.start('fresh');
  const status = await enforcer.status();
  close();
  if (!started.ok) return started;
  return status.ok ? ok(judgeEnforcing(status.value)) : status;
}

/** Facts about this host, for `warder doctor`. Nothing is loaded. */
export function probeHost(): HostFacts {
  return new Kernel(loadAddon()).probeHost();
}

function prepare(config: EnforcerConfig, around: Surroundings): Result<Prepared> {
  const able = openHost(config);
  if (!able.ok) return able;
  const { kernel, kernelRelease } = able.value;

  makeFolders(config);
  const lock = acquireLock(join(config.stateDir, 'lock'));
  if (!lock.ok) return lock;
  const opened = openStoreAtBoot(config);
  if (!opened.ok) return opened;
  const { store } = opened.value;
  const self = readSelf(config, around.configPath);
  const isProtected = self.kind === 'on';
  const trust = takeTrust(config.trust, store, isProtected);
  if (!trust.ok) return trust;

  const verifier = createVerifier();
  const { enforcer, alerts } = assemble({
    ...config,
    kernel,
    store,
    clock: around.clock,
    version: around.version,
    kernelRelease,
    verifier,
    trust: trust.value.trust,
    object: config.object ?? OBJECT,
    self,
    bootId: readBootId(),
    bootEpochMs: () => around.clock.nowMs() - readUptimeMs(),
    ...HOST,
    tell: (alert) => around.log('warn', 'alert', alert),
    publishProof: publisherOf(config, around),
    step: () => undefined,
  });
  for (const alert of opened.value.alerts) alerts.raise(alert);
  const close = (): void => {
    enforcer.stop();
    kernel.close();
    store.close();
    lock.value.release();
  };
  return ok({
    enforcer,
    kernel,
    warm: () => verifier.warm(),
    takeAtStart: () => takeNewer(trust.value, enforcer, alerts),
    reload: async () => {
      const again = takeTrust(config.trust, store, isProtected);
      if (again.ok) await takeNewer(again.value, enforcer, alerts);
      else alerts.raise(again.error);
    },
    close,
  });
}

async function takeNewer(
  { pending, alert }: TrustAtStart,
  enforcer: Enforcer,
  alerts: Alerts,
): Promise<void> {
  if (alert !== null) alerts.raise(alert);
  if (pending !== null) await enforcer.takeFile(pending);
}

function openHost(
  config: EnforcerConfig,
): Result<{ readonly kernel: KernelPort; readonly kernelRelease: string }> {
  const kernel: KernelPort = new Kernel(loadAddon(config.addon));
  const facts = kernel.probeHost();
  const unsupported = hostFailure(judgeHost(facts));
  return unsupported === null ? ok({ kernel, kernelRelease: facts.release }) : err(unsupported);
}

function makeFolders({ stateDir, socket }: EnforcerConfig): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(socket.path), { recursive: true, mode: 0o755 });
}

// Whoever can set the kernel's command line owns the host; for everybody else enforcement stays on.
function openStoreAtBoot(config: EnforcerConfig): Result<OpenedStore> {
  const opened = openStore(
    config.stateDir,
    config.eventsMax,
    config.sources.map((it) => it.name),
  );
  const words = readFileSync('/proc/cmdline', 'latin1').trim().split(/\s+/);
  if (!opened.ok || !words.includes(BOOT_OFF)) return opened;
  const { store, alerts } = opened.value;
  const reason = `the kernel command line says ${BOOT_OFF}`;
  store.switchOff(reason);
  const off = failure('host/off-at-boot', `nothing is enforced: ${reason}`, {
    hints: ['boot without it to enforce again'],
  });
  return ok({ store, alerts: [...alerts, off] });
}

function readSelf(config: EnforcerConfig, configPath: string): SelfPlan {
  return planSelf({
    configured: config.selfProtection,
    launcher: process.env['WARDER_LAUNCHER'],
    runtime: process.execPath,
    program: realProgram(process.argv[1] ?? ''),
    configPath,
    trustPath: config.trust,
    pinDir: config.pinDir,
    stateDir: config.stateDir,
    init: realProgram('/proc/1/exe'),
    cgroup: readFileSync('/proc/self/cgroup', 'utf8'),
  });
}

async function keepWatch(enforcer: Enforcer, signal: AbortSignal): Promise<void> {
  await Promise.all([enforcer.keepProving(signal), enforcer.keepResolving(signal)]);
}

// A file that cannot be written is told and changes nothing: status says the same.
function publisherOf({ metricsFile, proofPeriodMs }: EnforcerConfig, { log }: Surroundings) {
  return (report: ProofReport | null): void => {
    if (metricsFile === undefined) return;
    const text = Buffer.from(proofMetrics(report, proofPeriodMs));
    const written = writeFileAtomic(metricsFile, text, { mode: METRICS_MODE });
    if (!written.ok) log('warn', 'the metrics file cannot be written', written.error);
  };
}

function startDraining(enforcer: Enforcer, everyMs: number): NodeJS.Timeout {
  return setInterval(() => enforcer.drain(), everyMs);
}

function readOwners(config: EnforcerConfig): Result<{ agentUid: number; readGid: number }> {
  const agent = findAccount('user', config.socket.agent);
  if (!agent.ok) return agent;
  const group = findAccount('group', config.socket.group);
  return group.ok ? ok({ agentUid: agent.value, readGid: group.value }) : group;
}

function readPeer(kernel: KernelPort, socket: Socket): Result<Peer> {
  const descriptor = descriptorOf(socket);
  if (descriptor === null) return err(failure('host/enforcer-denied', 'the peer is gone already'));
  const peer = kernel.peerCredentials(descriptor);
  if (!peer.ok) return peer;
  // The group list is of whoever has that number now; the socket's mode has let the peer in already.
  const { pid, uid, gid } = peer.value;
  return ok({ uid, gids: [gid, ...groupsOf(pid)] });
}
