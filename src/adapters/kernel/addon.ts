// The typed view of build/native/warder.node, and how it is loaded.
//
// Invariants: every function is synchronous and refuses wrong arguments before it does anything; every
// failure is an AddonError, whose `code` names the step or the refusal. Nothing here judges: what the
// facts mean is decided by the callers. Deliberately absent: an environment variable for the path.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Steps and refusals that an AddonError can name. */
export const ADDON_CODES = [
  'adopt', // a pin of this build is missing or is another kind of map
  'argument', // nothing was done
  'bank-empty', // the bank was not filled, or not to the end
  'bpffs', // the pin directory is not on a BPF file system
  'attach', // a program that only this generation needs cannot be attached
  'btf', // the kernel does not describe its types
  'busy', // another handle has the pin directory
  'closed', // the handle was closed
  'commit', // the one update failed; what was in force still is
  'committed', // this bank is in force and is never written
  'committed-elsewhere', // another build enforces and this one does not
  'fork',
  'freeze',
  'glass', // break-glass could not be put in use, or taken away
  'map-create', // E2BIG and ENOMEM: the generation is too large for this host
  'map-read',
  'map-update',
  'memory',
  'moved', // scan: directories were moved during every walk
  'notify',
  'object', // the BPF object is broken or of another ABI
  'open', // resolve, scan: the path cannot be opened
  'outer-update',
  'peer',
  'pin',
  'protect', // the kernel did not take this process for the enforcer
  'readback', // the kernel holds other rows than were written
  'resolve', // the resolver program did not answer
  'scan', // a directory or a file of the tree cannot be read
  'stat',
  'too-large', // scan: more entries than may be visited
] as const;

export type AddonCode = (typeof ADDON_CODES)[number];

/** What the addon throws. `detail` ends with libbpf's or the verifier's last lines where there are. */
export interface AddonError extends Error {
  readonly code: AddonCode;
  /** Name of the errno, like `EACCES`; null when no system call failed. */
  readonly errno: string | null;
  /** The map, program, argument or path that it happened to. */
  readonly object: string;
  readonly detail: string;
}

/** True for errors of the addon; everything else that is thrown is a bug. */
export function isAddonError(cause: unknown): cause is AddonError {
  return (
    cause instanceof Error &&
    'code' in cause &&
    'errno' in cause &&
    'object' in cause &&
    ADDON_CODES.some((code) => code === cause.code)
  );
}

/** Layouts that the addon was built with (bpf/include/abi.h). */
export interface AddonAbi {
  readonly version: number;
  readonly banks: number;
  readonly rulesMax: number;
  readonly headerBytes: number;
  readonly eventBytes: number;
  readonly objects: RowBytes;
  readonly names: RowBytes;
  readonly labels: RowBytes;
  readonly exempt: RowBytes;
  readonly groups: RowBytes;
}

export interface RowBytes {
  readonly keyBytes: number;
  readonly valueBytes: number;
}

export interface AddonHost {
  /** `uname -r`. */
  readonly release: string;
  readonly btf: boolean;
  /** /sys/kernel/security/lsm in order; empty when unreadable. */
  readonly lsm: readonly string[];
  readonly bpffs: boolean;
  /** Those of the effective capabilities that Warder can need, like `CAP_BPF`. */
  readonly capabilities: readonly string[];
  readonly hooks: readonly AddonHook[];
}

export interface AddonHook {
  readonly hook: string;
  readonly present: boolean;
  /** Arguments of the hook in the kernel's BTF; null when it is absent. */
  readonly nargs: number | null;
  /** The program written for this prototype; null when there is none. */
  readonly program: string | null;
  /** As of {@link AddonProgram}. */
  readonly needs: number;
}

export interface OpenOptions {
  /** The bytes of warder.bpf.o. */
  readonly object: Uint8Array;
  /** 8 to 64 lower-case hexadecimal digits that stand for these bytes; see buildOf. */
  readonly build: string;
  /** Absolute, below a BPF file system; its last component is made when missing. */
  readonly pinDir: string;
  /** Pins of this build are moved aside and everything is made anew; default: they are adopted. */
  readonly fresh?: boolean;
}

export interface Opened {
  readonly kernel: AddonKernel;
  /** The pins of this build were complete: no map and no attached link was created. */
  readonly adopted: boolean;
  readonly programs: readonly AddonProgram[];
}

/** One program per hook: the variant for this kernel, and what became of it. */
export interface AddonProgram {
  readonly program: string;
  readonly hook: string;
  /** enum wd_hook. */
  readonly hookId: number;
  /** Bit n: operation n needs it; bit 31: only where the kernel has the hook. */
  readonly needs: number;
  readonly state: 'attached' | 'rejected' | 'absent' | 'idle';
  /** Of a rejection: `load`, `attach` or `pin`. */
  readonly step?: string;
  readonly errno?: string | null;
  /** Of a rejection: the last lines of the verifier's log. */
  readonly log?: string;
}

/** A path as the kernel sees it; an identity is valid for one boot. */
export interface AddonIdentity {
  readonly dev: number;
  readonly ino: bigint;
  readonly gen: number;
  readonly sub: bigint;
  readonly nlink: number;
  readonly mode: number;
  readonly magic: bigint;
  readonly folds: boolean;
}

/** What a tree holds that has further names. */
export interface AddonScan {
  /** Regular files with more than one link; one that was met twice is here twice. */
  readonly identities: readonly Pick<AddonIdentity, 'dev' | 'ino' | 'gen' | 'sub'>[];
  /** Names visited. */
  readonly entries: number;
}

/** Rows are key and value without padding; the labels' keys are 0 to n - 1, n >= 1. */
export interface AddonImage {
  readonly header: Uint8Array;
  readonly objects: Uint8Array;
  readonly names: Uint8Array;
  readonly labels: Uint8Array;
  readonly exempt: Uint8Array;
  readonly groups: Uint8Array;
}

/** Ids of kernel maps; 0 where there is none. */
export interface BankIds {
  readonly header: number;
  readonly objects: number;
  readonly names: number;
  readonly labels: number;
  readonly exempt: number;
  readonly groups: number;
}

export interface AddonCommitted {
  readonly bank: number;
  readonly header: Uint8Array;
  /** `header` is the map that is in force. */
  readonly mapIds: BankIds;
}

/** struct wd_counters; emitted + dropped = sequence. */
export interface AddonCounters {
  readonly sequence: bigint;
  readonly emitted: bigint;
  readonly dropped: bigint;
  readonly denied: bigint;
  readonly audited: bigint;
  readonly incomplete: bigint;
  readonly decisions: bigint;
  readonly retries: bigint;
  readonly let: bigint;
}

export interface AddonProof {
  readonly program: string;
  readonly hook: string;
  readonly hookId: number;
  readonly attached: boolean;
  /** The pin exists now and leads to a link. */
  readonly pinned: boolean;
  /** On demand, and no generation in force demands it. */
  readonly idle: boolean;
  /** That link is the one that this handle attached or adopted. */
  readonly own: boolean;
  /** An LSM program, attached as one. */
  readonly lsm: boolean;
  /** It uses the maps of this handle, in the places of the object's program. */
  readonly maps: boolean;
  readonly linkId: number;
  readonly progId: number;
  /** BTF function that the link's program is attached to: `bpf_lsm_<hook>`; '' unknown. */
  readonly attachedTo: string;
  /** Tag of the link's program, and of the same program as this process loaded it; '' unknown. */
  readonly tag: string;
  readonly expectedTag: string;
  readonly recursionMisses: bigint;
  /** 0 unless kernel.bpf_stats_enabled. */
  readonly runCount: bigint;
}

/** What taking pins away did, by the kernel's own account of the links. */
export interface Removal {
  readonly links: number;
  readonly builds: number;
  /** Links that still exist: something else holds them. */
  readonly alive: number;
}

/** An open handle. Every method throws `closed` after close() or disable(). */
export interface AddonKernel {
  resolve(path: string, options: { readonly follow: boolean }): AddonIdentity;
  /**
   * Visits at most `entriesMax` (<= 10,000,000) names below a directory, across no mount and through no
   * symbolic link; what is no directory has none. Rules in force do not keep it from listing.
   */
  scan(root: string, entriesMax: number): AddonScan;
  /** Fills a bank that is not committed; every row was read back and compared when it returns. */
  fill(bank: number, image: AddonImage): void;
  /** One map update. */
  commit(bank: number): void;
  committed(): AddonCommitted | null;
  /** The rows as the kernel has them, sorted by the bytes of the key. */
  readBack(bank: number): AddonImage;
  bankIds(): readonly BankIds[];
  clear(bank: number): void;
  /** Puts break-glass in use (`struct wd_glass`), or takes it away; one map update. */
  setGlass(glass: Uint8Array | null): void;
  /** As the kernel has it, whether or not it has ended. */
  glass(): Uint8Array | null;
  counters(): { readonly perCpu: readonly AddonCounters[]; readonly total: AddonCounters };
  /** At most `max` (<= 65,536) events, oldest first, without waiting; each is told once. */
  drainEvents(max: number): Uint8Array[];
  /** While expected, denials of this process's children have a ring of their own, which is read first. */
  expectCanaries(expected: boolean): void;
  /** Only a process that executed `launcher` and then `runtime` can open this build after it. */
  protect(by: { readonly launcher: string; readonly runtime: string }): void;
  unprotect(): void;
  /** Loads adopted programs when an earlier process died before it kept what they are. */
  proof(): {
    readonly programs: readonly AddonProof[];
    readonly maps: readonly { readonly map: string; readonly pinned: boolean }[];
    readonly committed: AddonCommitted | null;
  };
  /** Takes away the pins of every other build, which must not be the only one that enforces. */
  retireOther(): Removal;
  /** Takes away all pins of all builds and closes: enforcement ends. */
  disable(): Removal;
  close(): void;
}

export interface ProbeTry {
  /** One of `probeOps`. */
  readonly op: string;
  readonly path: string;
  /** Second path of rename, exchange and link; what a symlink at `path` leads to. */
  readonly path2?: string;
}

export interface ProbeAnswer {
  readonly op: string;
  readonly path: string;
  /** False when the child did not answer within 5 s; never a success. */
  readonly answered: boolean;
  /** null: the system call succeeded (if it was answered). */
  readonly errno: string | null;
}

export interface Addon {
  readonly abi: AddonAbi;
  readonly probeOps: readonly string[];
  /** Never throws; what cannot be read is missing. */
  probeHost(): AddonHost;
  open(options: OpenOptions): Opened;
  /** disable() without an object to open; a missing directory is success. */
  disablePins(pinDir: string): Removal;
  /** An ordinary child tries each system call for real; the caller owns the paths. */
  probe(tries: readonly ProbeTry[]): readonly ProbeAnswer[];
  /** SO_PEERCRED of a connected Unix socket's descriptor. */
  /** The fs-verity digest (SHA-256, hexadecimal) of a file; null when it has none. */
  measureVerity(path: string): string | null;
  peerCredentials(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number };
  /** A datagram to $NOTIFY_SOCKET; false when it is not set. */
  sdNotify(message: string): boolean;
}

/** Where `make -C native` puts it. */
export const ADDON_PATH = fileURLToPath(
  new URL('../../../build/native/warder.node', import.meta.url),
);

const BUILD_DIGITS = 16;

/** Loads the addon. Throws what the dynamic linker says when a library is missing. */
export function loadAddon(path: string = ADDON_PATH): Addon {
  const addon: Addon = createRequire(import.meta.url)(path);
  return addon;
}

/** The name of a build of the BPF object: it stands for these bytes and no others. */
export function buildOf(object: Uint8Array): string {
  return createHash('sha256').update(object).digest('hex').slice(0, BUILD_DIGITS);
}

/** Opens the object at a path: the bytes that are named are the bytes that are loaded. */
export function openObject(
  addon: Addon,
  options: { readonly objectPath: string; readonly pinDir: string; readonly fresh: boolean },
): Opened {
  const { objectPath, pinDir, fresh } = options;
  const object = readFileSync(objectPath);
  return addon.open({ object, build: buildOf(object), pinDir, fresh });
}
