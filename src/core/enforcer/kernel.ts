// What the privileged process and the kernel say to each other, as data. The addon answers these
// shapes, the fake of the tests models them, and nothing else of the project sees a map.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { RuleSet } from '../image/image.ts';
import type { Identity } from '../image/resolution.ts';

/** Facts about this host, collected without changing anything. */
export interface HostFacts {
  /** `uname -r`. */
  readonly release: string;
  /** The kernel describes its own types. */
  readonly btf: boolean;
  /** Names of the active security modules, in order; empty when unreadable. */
  readonly lsm: readonly string[];
  /** /sys/fs/bpf is a BPF file system. */
  readonly bpffs: boolean;
  /** Names of the effective capabilities, like `CAP_BPF`. */
  readonly capabilities: readonly string[];
  /** How far the kernel keeps root out of itself. */
  readonly lockdown: 'none' | 'integrity' | 'confidentiality' | 'unknown';
  /** Whether the kernel interrupts its own work: programs of kernels before 6.2 are skipped then. */
  readonly preemption: 'none' | 'voluntary' | 'full' | 'unknown';
  /** Hooks that some program wants, and whether one is written for this kernel. */
  readonly hooks: readonly {
    readonly hook: string;
    readonly program: string | null;
    /** Arguments in the kernel's BTF; null when the hook is absent. */
    readonly nargs: number | null;
    /** As of {@link KernelProgram}. */
    readonly ops: number;
    readonly onlyIfPresent: boolean;
  }[];
}

/** One program of the object after `open`. */
export interface KernelProgram {
  readonly program: string;
  /** The LSM hook, like `inode_create`. */
  readonly hook: string;
  /** enum wd_hook of bpf/include/abi.h. */
  readonly hookId: number;
  /** Bit n is set when operation n of bpf/include/abi.h needs this program. */
  readonly ops: number;
  /** A kernel without this hook has nothing that the program would have to judge. */
  readonly onlyIfPresent: boolean;
  readonly state: 'attached' | 'rejected' | 'absent' | 'detached' | 'idle';
  readonly detail: string;
}

/** What `open` found or made. */
export interface OpenReport {
  /** Pins of an earlier process were taken over; nothing was created. */
  readonly adopted: boolean;
  readonly programs: readonly KernelProgram[];
}

/** The identity of a path, as the kernel sees it. Valid for one boot. */
export interface PathFact {
  readonly dev: number;
  readonly ino: bigint;
  readonly gen: number;
  readonly sub: bigint;
  readonly nlink: number;
  /** st_mode, file type included. */
  readonly mode: number;
  /** s_magic of the file system. */
  readonly magic: bigint;
  /** A directory whose names compare without case. */
  readonly folds: boolean;
}

/** What a look through a tree for hard links found. */
export interface TreeScan {
  /** Regular files with more than one link; one that was met twice is here twice. */
  readonly identities: readonly Identity[];
  /** Names visited. */
  readonly entries: number;
}

/** A generation, packed for bpf/include/abi.h: what `fill` takes and `readBack` answers. */
export interface PackedImage {
  readonly header: Uint8Array;
  readonly objects: Uint8Array;
  readonly names: Uint8Array;
  readonly labels: Uint8Array;
  readonly exempt: Uint8Array;
  readonly groups: Uint8Array;
}

/** What the kernel has committed now. */
export interface Committed {
  readonly bank: number;
  readonly generation: number;
  /** SHA-256 over the packed image. */
  readonly imageDigest: Digest;
  /** Ids of the kernel's maps: the committed header, then the tables of its bank; 0 where none is. */
  readonly mapIds: readonly number[];
}

/** Per-CPU counters, summed. */
export interface KernelCounters {
  readonly sequence: number;
  readonly emitted: number;
  readonly dropped: number;
  readonly denied: number;
  readonly audited: number;
  readonly incomplete: number;
  /** Denials that break-glass let through. */
  readonly let: number;
}

/** Break-glass in the kernel: rules of one generation that do not hold for a while. */
export interface KernelGlass {
  /** Names it in events; never 0. */
  readonly token: bigint;
  /** Boot time at which it ends, in the kernel and without anybody's help. */
  readonly untilNs: bigint;
  readonly generation: number;
  /** Only processes in it or below it; null: every process. */
  readonly cgroup: { readonly id: bigint; readonly level: number } | null;
  /** By the bits of that generation. */
  readonly rules: RuleSet;
}

/** What the kernel says of the link of one program. */
export interface ProgramProof {
  readonly program: string;
  readonly hook: string;
  readonly attached: boolean;
  readonly pinned: boolean;
  /** Attached on demand, and nothing in force demands it. */
  readonly idle: boolean;
  /** The pinned link is the one that this process attached or adopted. */
  readonly own: boolean;
  /** An LSM program, attached as one: others attach to the same function and cannot refuse. */
  readonly lsm: boolean;
  /** It uses the maps of this process, in the places of the object's program. */
  readonly maps: boolean;
  /** BTF function that the link's program is attached to; empty when unknown. */
  readonly attachedTo: string;
  /** Tags of the link's program and of the same program loaded now; empty when unknown. */
  readonly tag: string;
  readonly expectedTag: string;
  readonly recursionMisses: number;
}

/** Does the pin of a map lead to the map that this process fills and reads? */
export interface MapProof {
  readonly map: string;
  readonly pinned: boolean;
}

/** What the kernel says of links and maps. */
export interface KernelProof {
  readonly programs: readonly ProgramProof[];
  readonly maps: readonly MapProof[];
}

/** One thing that an ordinary child of this process tries. */
export interface CanaryTry {
  readonly op: string;
  readonly path: string;
  readonly path2?: string;
}

/** Who is at the other end of a socket. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** WD_BANKS of bpf/include/abi.h: generations that may be pinned at one time. */
export const BANKS = 4;
