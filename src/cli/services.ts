// What commands need of the world. compose.ts fulfils it; each member is made on first use, so that
// `warder --help` loads neither sigstore nor a registry client.
//
// SPDX-License-Identifier: Apache-2.0

import type { RecordBytes } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import type { HostFacts } from '../core/enforcer/kernel.ts';
import type { Reference, Repository } from '../core/reference.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { AgentStatus } from '../core/status.ts';
import type { ClientFact } from '../core/verify/client.ts';
import type { TrustedRootText, TrustPolicy } from '../core/verify/trust.ts';
import type {
  ClockPort,
  EnforcerPort,
  RecordsPort,
  RegistryPort,
  SnapshotPort,
  VerifierPort,
} from '../ports.ts';
import type { PublisherServices, RegistryReach } from './publisher-services.ts';

/** A TUF repository, and what is known of it. */
export interface TufPlace {
  readonly mirror: string;
  /** File of its first root. */
  readonly root: string;
  readonly stateDir: string;
}

export interface Services extends PublisherServices {
  readonly clock: ClockPort;
  /** WARDER_DEBUG is set. */
  readonly debug: boolean;
  /** Name of the user who asks, for the record. */
  readonly user: string;
  readonly version: string;
  enforcer(socket: string): EnforcerPort;
  /** What this host offers, by the privileged program's word. */
  hostFacts(): Promise<Result<HostFacts>>;
  /** Null when the agent has not written a status yet. */
  agentStatus(file: string): Promise<Result<AgentStatus | null>>;
  registryReader(reference: Reference, options: RegistryReach): Promise<Result<RegistryPort>>;
  verifier(): Promise<VerifierPort>;
  trust(file: string): Promise<Result<TrustPolicy>>;
  /** The trusted root in a file; null where there is none that can be used. */
  rootFile(file: string): Promise<TrustedRootText | null>;
  /** A trust policy with other bytes in place of its trusted root. */
  rootChange(
    file: string,
    root: Uint8Array,
  ): Promise<
    Result<{
      readonly rootFile: string;
      readonly before: TrustedRootText | null;
      readonly next: TrustPolicy;
    }>
  >;
  /** Files of a TUF repository, verified. The only way to one. */
  tuf(place: TufPlace, targets: readonly string[]): Promise<Result<readonly Uint8Array[]>>;
  /** Whole artifacts of a registry or a layout. */
  snapshots(reference: Reference, options: RegistryReach): Promise<SnapshotPort>;
  readonly archives: {
    read(file: string, isTag: (tag: string) => boolean): Promise<Result<Snapshot>>;
    /** Answers the size of the new file. */
    write(file: string, snapshot: Snapshot): Promise<Result<number>>;
    registry(snapshot: Snapshot): Promise<RegistryPort>;
    restore(repository: Repository, snapshot: Snapshot): Promise<Result<void>>;
  };
  /** Verifies a sigstore bundle of any client; a digest counts where no file is at the path. */
  verifyBundle(files: {
    readonly bundle: string;
    readonly key: string | null;
    /** An optional one is a default: without its file there is no root. */
    readonly trustedRoot: { readonly path: string; readonly isOptional: boolean };
    readonly artifact: { readonly path: string; readonly digest: Digest | null };
  }): Promise<Result<{ readonly fact: ClientFact; readonly artifact: Digest }>>;
  /** Decision records: a folder that was exported, or the state of a process (`DIR/records.db`). */
  readonly evidence: {
    read(dir: string): Promise<Result<RecordBytes & { readonly id: Digest }>>;
    write(dir: string, evidence: RecordBytes & { readonly id: Digest }): Promise<Result<void>>;
    ofState(dir: string): Promise<Result<RecordsPort>>;
  };
  /** A file as it is; bounded. */
  readBytes(file: string): Result<Uint8Array>;
  /** Replaces a file as a whole. */
  writeBytes(file: string, bytes: Uint8Array): Result<void>;
  /** Runs the agent until the signal aborts; answers when it has ended. */
  runAgent(configFile: string, signal: AbortSignal): Promise<Result<void>>;
  /** Reads and checks an agent or enforcer configuration without acting on it. */
  checkConfig(file: string): Promise<Result<{ readonly kind: string }>>;
}
