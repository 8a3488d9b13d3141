// Every side effect as an interface over core types. Adapters implement them, composition roots wire
// them, tests replace them. No port throws for an expected failure: it answers a Result; what is thrown
// is a bug.
//
// SPDX-License-Identifier: Apache-2.0

import type { Admission, BundleBytes, Candidate, Descriptor } from './core/bundle.ts';
import type { RecordBytes, RecordLine, RecordWithBytes } from './core/decision/record.ts';
import type { Digest } from './core/digest.ts';
import type {
  BundleSummary,
  CanaryReport,
  DecisionEvent,
  Enforced,
  EnforcerStatus,
  TrustPreview,
  TrustReport,
} from './core/enforcement.ts';
import type { GlassInUse, GlassRecord, GlassRequest } from './core/glass.ts';
import type { HeadStatus } from './core/head.ts';
import type { QuarantineEntry, StoreContents } from './core/machine/contents.ts';
import type { ProbeReport } from './core/machine/health.ts';
import type { CommitFacts, SourceFile } from './core/publish/commit.ts';
import type { Reference, Repository } from './core/reference.ts';
import type { Result } from './core/result.ts';
import type { Snapshot } from './core/snapshot.ts';
import type { AgentStatus, Outcome } from './core/status.ts';
import type { AttestationFact, Evidence } from './core/verify/evidence.ts';
import type { TrustPolicy } from './core/verify/trust.ts';
import type { CheckRecord, Floor } from './core/verify/verdict.ts';

/** Time and chance, as arguments of everything else. */
export interface ClockPort {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1), for jitter. */
  random(): number;
}

/** Reads of a registry or an OCI layout. Bytes are hashed and capped before they are returned. */
export interface RegistryPort {
  resolve(reference: Reference, signal?: AbortSignal): Promise<Result<Candidate>>;
  /** Fetches manifest, config, files and every attestation by digest, inside the limits. */
  fetch(candidate: Candidate, signal?: AbortSignal): Promise<Result<BundleBytes>>;
  /** The signed statements under the head tag of a channel; `verify/head-missing` without the tag. */
  head(
    repository: Repository,
    channel: string,
    signal?: AbortSignal,
  ): Promise<Result<readonly Uint8Array[]>>;
  /** The signed statements of one version of a channel's trust policy; null when there is none. */
  trust(
    repository: Repository,
    channel: string,
    version: number,
    signal?: AbortSignal,
  ): Promise<Result<readonly Uint8Array[] | null>>;
}

/** Writes of a registry or an OCI layout: the publisher's side. */
export interface RegistryWritePort {
  /** Pushes blobs and a manifest, tags it, and answers the digest read back. */
  push(
    repository: Repository,
    tags: readonly string[],
    manifest: Uint8Array,
    blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[],
  ): Promise<Result<Digest>>;
  /** Attaches one sigstore bundle as a referrer of `subject`, then reads it back. */
  attach(
    repository: Repository,
    subject: Descriptor,
    attestation: Uint8Array,
    predicateType: string,
  ): Promise<Result<Digest>>;
  /** Digests of the sigstore bundles attached to `subject`. */
  list(repository: Repository, subject: Digest): Promise<Result<readonly Digest[]>>;
}

/** Whole artifacts, byte for byte: what export and import move. */
export interface SnapshotPort {
  /** The artifacts under these tags with all that refers to them; an optional tag may be absent. */
  snapshot(
    repository: Repository,
    tags: readonly { readonly tag: string; readonly isOptional: boolean }[],
  ): Promise<Result<Snapshot>>;
}

/** Facts about a bundle's bytes and signatures; it judges nothing (core/verify/judge.ts does). */
export interface VerifierPort {
  collect(bundle: BundleBytes, trust: TrustPolicy): Promise<Result<Evidence>>;
  /** The same for signed statements that belong to no bundle: channel heads. */
  read(
    statements: readonly Uint8Array[],
    trust: TrustPolicy,
  ): Promise<Result<readonly AttestationFact[]>>;
}

/** Makes a DSSE sigstore bundle over an in-toto statement. */
export interface SignerPort {
  /** For people and records: the fingerprint of a key, or the name of an identity. */
  readonly signedBy: string;
  sign(statement: Uint8Array): Promise<Result<Uint8Array>>;
  /** The statement in an attestation that this key signed; null when it is another's or broken. */
  open(attestation: Uint8Array): Uint8Array | null;
}

/** A policy repository in Git. It reads commits, never a work tree. */
export interface SourcePort {
  commit(revision: string): Promise<Result<CommitFacts>>;
  /** The files at or below a path at a commit, with their paths from the root of the repository. */
  files(commit: string, path: string): Promise<Result<readonly SourceFile[]>>;
  /** The work tree differs from the last commit; false where there is none. */
  isDirty(): Promise<Result<boolean>>;
}

/** What a process decided lately. */
export interface RecordsPort {
  /** Newest last. */
  records(limit: number): Promise<Result<readonly RecordLine[]>>;
  record(id: Digest): Promise<Result<RecordBytes | null>>;
}

/** The privileged process. It verifies again and owns floor, trust and hold. */
export interface EnforcerPort extends RecordsPort {
  /** Of the main source, or of a named one; so are `head`, `restore` and `rollback`. */
  status(source?: string): Promise<Result<EnforcerStatus>>;
  /** Verifies, raises the floor, fills a bank aside, swaps. The generation is pending until confirm. */
  activate(bundle: BundleBytes): Promise<Result<Enforced>>;
  /** Verifies and remembers a channel head: the floor of what comes next, and the time it was made. */
  head(statements: readonly Uint8Array[], source?: string): Promise<Result<HeadStatus>>;
  /** Puts the next version of the trust policy in force, if its roots signed it; `force` is root's. */
  trust(statements: readonly Uint8Array[], force: boolean): Promise<Result<TrustReport>>;
  /** What a trust policy (a document without files) would distrust; nothing is changed. */
  previewTrust(document: Uint8Array): Promise<Result<TrustPreview>>;
  /** The trust policy in force, as a document without files. */
  readTrust(): Promise<Result<Uint8Array>>;
  /** Runs the canaries against what is enforced now. */
  probe(): Promise<Result<CanaryReport>>;
  /** Makes the pending generation the last-known-good. */
  confirm(digest: Digest): Promise<Result<Enforced>>;
  /** Swaps back to the last-known-good, or to the baseline when there is none. */
  restore(reason: string, source?: string): Promise<Result<Enforced>>;
  /** Back to the previous confirmed bundle, and hold. */
  rollback(by: string, reason: string, source?: string): Promise<Result<Enforced>>;
  resume(by: string): Promise<Result<Enforced>>;
  /** Takes what a source brought out of force that is not configured any more. */
  removeSource(name: string, by: string): Promise<Result<Enforced>>;
  /** Takes the pins away, by a signed order: enforcement ends. */
  disable(
    by: string,
    reason: string,
    order: readonly Uint8Array[] | null,
  ): Promise<Result<Enforced>>;
  /** What an order must name to be good for this host, now. */
  askGlass(): Promise<Result<GlassRequest>>;
  /** Uses a signed order: rules are relaxed for its time. */
  useGlass(statements: readonly Uint8Array[], by: string): Promise<Result<GlassInUse>>;
  endGlass(by: string): Promise<Result<GlassInUse>>;
  /** What was used on this host, the newest first. */
  listGlass(): Promise<Result<readonly GlassRecord[]>>;
  /** Newest last; `after` is an event id. */
  events(query: {
    readonly after?: string;
    readonly limit: number;
  }): Promise<Result<readonly DecisionEvent[]>>;
  event(id: string): Promise<Result<DecisionEvent | null>>;
  /** Until the signal aborts. */
  followEvents(signal: AbortSignal): AsyncIterable<Result<DecisionEvent>>;
}

/** The agent's own state on disk. An answer means that it is durable. */
export interface StorePort {
  load(): Promise<Result<StoreContents>>;
  /** Both copies; a floor below the stored one leaves it as it is. */
  raiseFloor(floor: Floor): Promise<Result<void>>;
  /** The evidence byte for byte, and the decision record of its admission. */
  stage(
    bundle: BundleBytes,
    admission: Admission,
    checks: readonly CheckRecord[],
  ): Promise<Result<void>>;
  /** What the enforcer confirmed is active; what was active before is the previous one. */
  commit(bundle: BundleSummary, at: string): Promise<Result<void>>;
  quarantine(entry: QuarantineEntry): Promise<Result<void>>;
  /** Writes down what the agent decided; bounded, the oldest make room. */
  note(made: RecordWithBytes): Promise<Result<void>>;
  /** Removes what is older than the configured number of generations. */
  prune(): Promise<Result<void>>;
  /** The stored evidence of an admitted bundle, hashes checked; null when there is none. */
  evidence(digest: Digest): Promise<Result<BundleBytes | null>>;
}

/** The host's own health checks: programs from the configuration, each with its deadline. */
export interface ProbePort {
  run(signal?: AbortSignal): Promise<readonly ProbeReport[]>;
}

/** Tells people and programs how a poll ended. What cannot be told does not stop the agent. */
export interface ReporterPort {
  /** `outcome` is null when only the status changed. */
  report(status: AgentStatus, outcome: Outcome | null): Promise<Result<void>>;
}
