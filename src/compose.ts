// The composition root of the agent's and the publisher's side: configuration in, ports out. The only
// file here that names adapters. What a command does not need is not loaded.
//
// SPDX-License-Identifier: Apache-2.0

import { userInfo } from 'node:os';
import { systemClock } from './adapters/clock/system-clock.ts';
import { writeFileAtomic } from './adapters/disk/atomic-file.ts';
import { readPlainFile } from './adapters/disk/plain-file.ts';
import { connectEnforcer } from './adapters/enforcer-client/client.ts';
import { writeNewFiles } from './adapters/git/new-files.ts';
import { readAgentStatus } from './adapters/status-file/status-file.ts';
import { readPolicyFiles } from './adapters/work-tree/files.ts';
import type { Passphrase } from './cli/publisher-services.ts';
import type { Services } from './cli/services.ts';
import { findTool, openRegistry } from './compose-registry.ts';
import { VERSION } from './core/product.ts';
import { ok } from './core/result.ts';

const REPLY_TIMEOUT_MS = 15_000;
const ACTIVATE_TIMEOUT_MS = 120_000;

/** Fulfils the commands' services with the real world. */
export function compose(variables: Readonly<Record<string, string | undefined>>): Services {
  return {
    clock: systemClock(),
    debug: (variables['WARDER_DEBUG'] ?? '') !== '',
    user: variables['SUDO_USER'] ?? userInfo().username,
    version: VERSION,
    enforcer: (socketPath) =>
      connectEnforcer({
        socketPath,
        client: `warder/${VERSION}`,
        replyTimeoutMs: REPLY_TIMEOUT_MS,
        activateTimeoutMs: ACTIVATE_TIMEOUT_MS,
      }),
    hostFacts: async () =>
      (await import('./adapters/host-facts/run.ts')).readHostFacts(findTool('warder-enforcer')),
    agentStatus: readAgentStatus,
    registryReader: async (reference, options) =>
      ok(await openRegistry(reference.repository, options)),
    registryWriter: async (repository, options) => ok(await openRegistry(repository, options)),
    verifier: async () => (await import('./adapters/sigstore/once.ts')).createOnceVerifier(),
    trust: async (file) =>
      (await import('./adapters/sigstore/trust-file.ts')).loadTrustPolicy(file),
    rootFile: async (file) => (await import('./adapters/sigstore/trust-file.ts')).usableRoot(file),
    rootChange: async (file, root) =>
      (await import('./adapters/sigstore/trust-file.ts')).changeRoot(file, root),
    tuf: async (place, targets) => (await import('./compose-update.ts')).fetchByTuf(place, targets),
    snapshots: (reference, options) => openRegistry(reference.repository, options),
    archives: {
      read: async (file, isTag) =>
        (await import('./adapters/oci-layout/archive.ts')).readArchiveFile(file, isTag),
      write: async (file, snapshot) =>
        (await import('./adapters/oci-layout/archive.ts')).writeArchiveFile(file, snapshot),
      registry: async (snapshot) =>
        (await import('./adapters/oci-layout/archive.ts')).createSnapshotRegistry(snapshot),
      restore: async (repository, snapshot) =>
        (await import('./adapters/oci-layout/registry.ts'))
          .createLayoutRegistry()
          .restore(repository, snapshot),
    },
    verifyBundle: async (files) =>
      (await import('./adapters/sigstore/client-files.ts')).verifyClientFiles(files),
    readBytes: readPlainFile,
    evidence: { read: readFolder, write: writeFolder, ofState },
    writeBytes: (file, bytes) => writeFileAtomic(file, bytes, { mode: 0o644 }),
    runAgent: async (file, stop) =>
      (await import('./compose-agent.ts')).runConfiguredAgent(file, stop),
    checkConfig: async (file) => (await import('./compose-agent.ts')).checkConfigFile(file),
    policyFiles: readPolicyFiles,
    writeNew: writeNewFiles,
    source: lazySource,
    signer: async (keyFile, passphrase) => openSigner(keyFile, passphrase, variables),
    keylessSigner: async (files) =>
      (await import('./adapters/sigstore/keyless-files.ts')).openKeylessSigner(files),
    generateKey: async (file, passphrase) => makeKey(file, passphrase, variables),
  };
}

const readFolder: Services['evidence']['read'] = async (dir) =>
  (await import('./adapters/disk/evidence-folder.ts')).readEvidenceFolder(dir);

const writeFolder: Services['evidence']['write'] = async (dir, evidence) =>
  (await import('./adapters/disk/evidence-folder.ts')).writeEvidenceFolder(dir, evidence);

const ofState: Services['evidence']['ofState'] = async (dir) =>
  (await import('./adapters/disk/records.ts')).readRecords(dir);

function lazySource(dir: string): ReturnType<Services['source']> {
  const source = import('./adapters/git/source.ts').then(({ createGitSource }) =>
    createGitSource({ gitPath: findTool('git'), dir }),
  );
  return {
    commit: async (revision) => (await source).commit(revision),
    files: async (commit, path) => (await source).files(commit, path),
    isDirty: async () => (await source).isDirty(),
  };
}

async function openSigner(
  keyFile: string,
  from: Passphrase,
  variables: Readonly<Record<string, string | undefined>>,
) {
  const { readPassphrase } = await import('./adapters/sigstore/signing-key.ts');
  const passphrase = await readPassphrase(from, variables);
  if (!passphrase.ok) return passphrase;
  const { createFileSigner } = await import('./adapters/sigstore/signer.ts');
  return createFileSigner(keyFile, passphrase.value);
}

async function makeKey(
  file: string,
  from: Passphrase,
  variables: Readonly<Record<string, string | undefined>>,
) {
  const { generateKey, readPassphrase } = await import('./adapters/sigstore/signing-key.ts');
  const passphrase = await readPassphrase(from, variables);
  return passphrase.ok ? generateKey(file, passphrase.value) : passphrase;
}
