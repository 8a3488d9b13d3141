// Everything between a push to a policy repository and a host that enforces it, in one temporary folder:
// a registry, a remote that publishes, a proxy that may lie, and a guest.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDisk } from '../guest/disk.ts';
import { startRegistry } from '../registry.ts';
import { makeSigner } from '../signed-bundle.ts';
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
  type SigningKey,
} from './origin.ts';
import { type Lie, type RegistryProxy, startProxy } from './proxy.ts';
import { moveTag } from './registry-tags.ts';

const REGISTRY_NAME = 'registry.example.test:5000';
const REPOSITORY_PATH = 'policies';
const TEAM_PATH = 'team/policies';
const STATE_DIR = '/var/lib/warder';

/** Names that bundles and trust policy carry. */
export const NAMES = {
  repository: `${REGISTRY_NAME}/${REPOSITORY_PATH}`,
  channel: 'prod',
  source: 'https://git.example.test/policies',
  keyId: 'release-key',
} as const;

/** The same of a second source, which a test may add. */
export const TEAM = {
  name: 'team',
  repository: `${REGISTRY_NAME}/${TEAM_PATH}`,
  channel: 'prod',
  source: 'https://git.example.test/team',
  keyId: 'team-key',
} as const;

/** Signs orders of break-glass for hosts of the laboratory. */
export const KEEPER = makeSigner();

/** What a laboratory may be asked for. */
export interface LabOptions {
  /** A shell script that puts files on the host before anything is enforced. */
  readonly install?: string;
  readonly probes?: readonly HostProbe[];
  /** Kernel series of the host. */
  readonly series?: string;
  /** Disk images of the host beside its own, by serial number. */
  readonly disks?: Readonly<Record<string, string>>;
  /** Folder in the guest for what enforcer and agent remember; only /disk outlives a reboot. */
  readonly stateDir?: string;
  /** Leave the folder behind. */
  readonly keep?: boolean;
}

/** A second source, as {@link TEAM} names it. */
export interface Team {
  readonly origin: Origin;
  readonly key: SigningKey;
}

/** A running laboratory. */
export interface Lab {
  readonly proxy: RegistryProxy;
  readonly origin: Origin;
  /** Enforcer and agent run on it. */
  readonly host: LabHost;
  /** From now on the proxy flips a byte of all content, of that of a digest, or of none. */
  lieAbout(bundle: Lie): void;
  /** Points the channel at a bundle, with nobody's signature: what whoever owns the registry can do. */
  moveChannel(digest: string): Promise<void>;
  /** Publishes a commit of a stranger's clone, signed with a stranger's key, to the same channel. */
  publishAsStranger(files: PolicyFiles): Promise<Publication>;
  /** Makes the repository of the second source, with a key of its own; the host does not know it yet. */
  makeTeam(): Promise<Team>;
  /** Cuts the power of the host and boots it from the same disk; nothing of Warder runs on it yet. */
  reboot(): Promise<LabHost>;
  stop(): Promise<void>;
}

/** A laboratory that is being built, and can be taken down at any time. */
export interface LabSite {
  readonly dir: string;
  /** Fails when one part could not be built; the others are then still there. */
  readonly built: Promise<Lab>;
  /** Ends everything. A guest that still boots ends with this process. */
  clear(): Promise<void>;
}

/** Builds a laboratory; when one part fails, the others are taken down again. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const site = openLab(options);
  try {
    return await site.built;
  } catch (cause) {
    await site.clear();
    throw cause;
  }
}

/** Starts to build the parts, side by side. */
export function openLab(options: LabOptions = {}): LabSite {
  const dir = mkdtempSync(join(tmpdir(), 'warder-lab-'));
  const registry = startRegistry();
  const proxy = registry.then((it) => startProxy(it.host));
  const key = makeKey(join(dir, 'keys'), NAMES.keyId);
  const strangerKey = makeKey(join(dir, 'keys'), 'stranger');
  const destination = registry.then((it) => ({ name: REGISTRY_NAME, endpoint: it.host }));
  const origin = Promise.all([key, destination]).then(([signer, to]) =>
    makeOrigin({ dir, key: signer, destination: to, ...NAMES }),
  );
  const disk = createDisk(join(dir, 'disk.img'));
  let host: LabHost | null = null;
  const boot = async () => {
    const { series, disks = {}, probes = [], stateDir = STATE_DIR } = options;
    host = await bootHost(disk, { disks, ...(series === undefined ? {} : { series }) });
    const { publicKeyPem } = await key;
    const facts = {
      ...NAMES,
      ...{ probes, stateDir, publicKeyPem },
      keeperPem: KEEPER.publicKeyPem,
      registryPort: (await proxy).port,
    };
    await host.guest.reach(facts.registryPort);
    await host.configure(writeConfiguration(facts), stateDir);
    return host;
  };
  const clear = async () => {
    await host?.guest.stop();
    // These two are there at once, or have failed at once.
    for (const part of await Promise.allSettled([proxy, registry])) {
      if (part.status === 'fulfilled') await part.value.stop();
    }
    // What still runs would write into the folder after it is gone.
    await Promise.allSettled([key, strangerKey, origin]);
    if (options.keep !== true) rmSync(dir, { recursive: true, force: true });
  };
  const prepared = boot().then(async (it) => {
    if (options.install !== undefined) await it.install(options.install);
    await it.start();
    return it;
  });
  const parts = [prepared, proxy, origin, strangerKey, destination] as const;
  const built = Promise.all(parts).then(([readyHost, itsProxy, itsOrigin, stranger, to]) => ({
    proxy: itsProxy,
    origin: itsOrigin,
    host: readyHost,
    ...attacksOn(dir, itsOrigin, stranger, to, itsProxy),
    makeTeam: async () => {
      const teamKey = await makeKey(join(dir, 'keys'), TEAM.keyId);
      const site = join(dir, TEAM.name);
      return {
        key: teamKey,
        origin: await makeOrigin({ dir: site, key: teamKey, destination: to, ...TEAM }),
      };
    },
    reboot: async () => {
      await host?.guest.crash();
      return boot();
    },
    stop: clear,
  }));
  return { dir, built, clear };
}

function attacksOn(
  dir: string,
  origin: Origin,
  key: SigningKey,
  destination: Destination,
  proxy: RegistryProxy,
): Pick<Lab, 'lieAbout' | 'moveChannel' | 'publishAsStranger'> {
  const { endpoint } = destination;
  return {
    lieAbout: (bundle) => proxy.lieAbout(bundle),
    moveChannel: (digest) => moveTag(endpoint, REPOSITORY_PATH, NAMES.channel, digest),
    publishAsStranger: (files) => publishAsStranger({ dir, origin, key, destination, files }),
  };
}
