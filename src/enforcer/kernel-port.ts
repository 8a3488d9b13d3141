// The kernel as the enforcer sees it. adapters/kernel implements it over the addon; the fake of the
// tests models its rules. Synchronous: a swap must not interleave with anything else of this process.
// Expected refusals are Results; what is thrown is a bug.
//
// SPDX-License-Identifier: Apache-2.0

import type {
  CanaryTry,
  Committed,
  HostFacts,
  KernelCounters,
  KernelGlass,
  KernelProof,
  OpenReport,
  PackedImage,
  PathFact,
  PeerCredentials,
  TreeScan,
} from '../core/enforcer/kernel.ts';
import type { Result } from '../core/result.ts';

/** Everything that needs the addon. */
export interface KernelPort {
  probeHost(): HostFacts;
  /**
   * Loads, attaches and pins, or adopts what an earlier process pinned. `fresh` moves pins of the same
   * build aside in place of adopting them; `retireOther` removes them when something is committed.
   */
  open(options: {
    readonly object: string;
    readonly pinDir: string;
    readonly fresh: boolean;
  }): Result<OpenReport>;
  /** The identity of a path; null when it does not exist. Nothing is opened for real. */
  resolve(path: string, follow: boolean): Result<PathFact | null>;
  /** The fs-verity digest of a file, `sha256:…`; null when it has none. */
  measureVerity(path: string): Result<string | null>;
  /**
   * The regular files of a tree that have more than one link. Visits at most `entriesMax` names, across
   * no mount and through no symbolic link; what is no directory has none. Works whatever is denied now.
   */
  scan(root: string, entriesMax: number): Result<TreeScan>;
  /** Fills a bank that is not committed, freezes and pins it. */
  fill(bank: number, image: PackedImage): Result<void>;
  /** What a bank holds; null when it is empty. */
  readBack(bank: number): Result<PackedImage | null>;
  /** One update makes a filled bank current. */
  commit(bank: number): Result<void>;
  committed(): Result<Committed | null>;
  /** Empties a bank that is not committed. */
  clear(bank: number): Result<void>;
  /** Puts break-glass in use, or takes it away; one update. */
  setGlass(glass: KernelGlass | null): Result<void>;
  /** As the kernel has it, ended or not. */
  glass(): Result<KernelGlass | null>;
  counters(): Result<KernelCounters>;
  /** At most `max` events (struct wd_event), oldest first. */
  drainEvents(max: number): Result<readonly Uint8Array[]>;
  /** An ordinary child tries each; 0, an errno, or -1 for no answer. */
  tryAll(tries: readonly CanaryTry[]): Result<readonly number[]>;
  /** Closes Warder's own objects and this process to every process but the enforcer. */
  protect(by: { readonly launcher: string; readonly runtime: string }): Result<void>;
  unprotect(): Result<void>;
  /** What the kernel says of every link and pin. */
  proof(): Result<KernelProof>;
  /** Removes pins of other builds, after this one enforces. */
  retireOther(): Result<void>;
  /**
   * Takes all pins away: enforcement ends. Needs no `open` before. Answers how many links still exist,
   * because something else holds them.
   */
  disable(pinDir: string): Result<number>;
  peerCredentials(fd: number): Result<PeerCredentials>;
  /** To the service manager; nothing happens without one. */
  notify(message: string): void;
  close(): void;
}
