// Everything between a push to a policy repository and a host that enforces it, in one temporary folder:
// a registry, a remote that publishes, a proxy that may lie, and a guest.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDisk } from '../guest/disk.ts';
import { startRegistry, type TestRegistry } from '../registry.ts';
import { type HostProbe, writeConfiguration } from './configuration.ts';
import { bootHost, type LabHost } from './host.ts';
import {
  type Destination,
  makeKey,
  makeOrigin,
  type Origin,
  type PolicyFiles,
  type Publication,
  publishAsStranger,
} from './origin.ts';
import { type RegistryProxy, startProxy } from './proxy.ts';
import { moveTag } from './registry-tags.ts';

const REGISTRY_NAME = 'registry.example.test:5000';
const REPOSITORY_PATH = 'policies';
const STATE_DIR = '/var/lib/warder';

/** Names that bundles and trust policy carry. */
export const NAMES = {
  repository: `${REGISTRY_NAME}/${REPOSITORY_PATH}`,
  channel: 'prod',
  source: 'https://git.example.test/policies',
  keyId: 'release-key',
} as const;

/** What a laboratory may be asked for. */
export interface LabOptions {
  /** A shell script that puts files on the host before anything is enforced. */
  readonly install?: string;
  readonly probes?: readonly HostProbe[];
  /** Kernel series of the host. */
  readonly series?: string;
  /** Folder in the guest for what enforcer and agent remember; only /disk outlives a reboot. */
  readonly stateDir?: string;
  /** Leave the folder behind. */
  readonly keep?: boolean;
}

/** A running laboratory. */
export interface Lab {
  readonly dir: string;
  readonly proxy: RegistryProxy;
  readonly origin: Origin;
  /** Enforcer and agent run on it. */
  readonly host: LabHost;
  /** Points the channel at a bundle, with nobody's signature: what whoever owns the registry can do. */
  moveChannel(digest: string): Promise<void>;
  /** Publishes a commit of a stranger's clone, signed with a stranger's key, to the same channel. */
  publishAsStranger(files: PolicyFiles): Promise<Publication>;
  /** Cuts the power of the host and boots it from the same disk; nothing of Warder runs on it yet. */
  reboot(): Promise<LabHost>;
  stop(): Promise<void>;
}

/** Builds the parts side by side; when one fails, the others are taken down again. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const dir = mkdtempSync(join(tmpdir(), 'warder-lab-'));
  const parts: Parts = { registry: null, proxy: null, host: null };
  const stop = async () => {
    await parts.host?.guest.stop();
    await parts.proxy?.stop();
    await parts.registry?.stop();
    if (options.keep !== true) rmSync(dir, { recursive: true, force: true });
  };
  const key = makeKey(join(dir, 'keys'), NAMES.keyId);
  const registry = startRegistry().then((it) => {
    parts.registry = it;
    return it;
  });
  const proxy = registry.then(async (it) => {
    parts.proxy = await startProxy(it.host);
    return parts.proxy;
  });
  const disk = createDisk(join(dir, 'disk.img'));
  const boot = async () => {
    const it = await bootHost(disk, options.series);
    parts.host = it;
    const { port } = await proxy;
    const { publicKeyPem } = await key;
    const { probes = [], stateDir = STATE_DIR } = options;
    const facts = { ...NAMES, probes, stateDir, publicKeyPem, registryPort: port };
    await it.configure(writeConfiguration(facts), stateDir);
    return it;
  };
  const host = boot().then(async (it) => {
    if (options.install !== undefined) await it.install(options.install);
    await it.startEnforcer();
    await it.startAgent();
    return it;
  });
  const destination = registry.then((it) => ({ name: REGISTRY_NAME, endpoint: it.host }));
  const origin = Promise.all([key, destination]).then(([signer, to]) =>
    makeOrigin({ dir, key: signer, destination: to, ...NAMES }),
  );
  const outcomes = await Promise.allSettled([registry, proxy, host, origin]);
  const failed = outcomes.find((it) => it.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    dir,
    proxy: await proxy,
    origin: await origin,
    host: await host,
    ...attacksOn(dir, await origin, await destination),
    reboot: async () => {
      await parts.host?.guest.crash();
      return boot();
    },
    stop,
  };
}

interface Parts {
  registry: TestRegistry | null;
  proxy: RegistryProxy | null;
  host: LabHost | null;
}

function attacksOn(
  dir: string,
  origin: Origin,
  destination: Destination,
): Pick<Lab, 'moveChannel' | 'publishAsStranger'> {
  return {
    moveChannel: (digest) => moveTag(destination.endpoint, REPOSITORY_PATH, NAMES.channel, digest),
    publishAsStranger: async (files) => {
      const key = await makeKey(join(dir, 'keys'), 'stranger');
      return publishAsStranger({ dir, origin, key, destination, files });
    },
  };
}
