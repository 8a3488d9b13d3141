// The list of kernel cases that a file-enforcement suite must have: what each id must give, and where
// that is shown. A test (test/tidy/kernel-cases.test.ts) fails for an id that nothing shows and that has no
// reason here; docs/kernel-matrix.md has a row for each.
//
// D: denied with EACCES, one event, counter +1. A: allowed, no event. X: declared limit. R: refused before
// any kernel change. Two letters stand for the two halves of a case.
//
// SPDX-License-Identifier: Apache-2.0

/** In the case table, in a test whose title says `case ID`, or nowhere, with the reason. */
export type Shown = 'table' | { readonly test: string } | { readonly reason: string };

/** One id of the list. */
export interface KernelCase {
  readonly id: number;
  readonly expected: string;
  readonly title: string;
  readonly shown: Shown;
}

const TABLE = 'table' as const;
const SWAP = { test: 'test/vm/swap.test.ts' };
const ADDON = { test: 'test/guest/addon.test.ts' };
const CRASH = { test: 'test/enforcer/crash.test.ts' };
const ENFORCER = { test: 'test/enforcer/lifecycle.test.ts' };
const GLASS = { test: 'test/vm/glass.test.ts' };
const LIFECYCLE = { test: 'test/vm/lifecycle.test.ts' };
const REFUSAL = { test: 'test/vm/refusal.test.ts' };
const SABOTAGE = { test: 'test/vm/sabotage.test.ts' };
const missing = (reason: string): Shown => ({ reason });

type Row = readonly [id: number, expected: string, title: string, shown: Shown];

const ROWS: readonly Row[] = [
  [1, 'D', 'through a symlink', TABLE],
  [2, 'D', 'dangling symlink whose target is then created under a protected name', TABLE],
  [3, 'A', 'symlink loop', TABLE],
  [4, 'D', 'symlink swapped to the protected file between lookup and open', TABLE],
  [5, 'D', 'hard link made before the rule, outside any tree', TABLE],
  [6, 'D', 'making a hard link after the rule', TABLE],
  [7, 'D', 'hard link into and out of a tree', TABLE],
  [8, 'D', 'opened under a new name after an exempt subject renamed it', TABLE],
  [9, 'D', 'parent directory renamed, then opened', TABLE],
  [10, 'D', 'bind-mounted file', TABLE],
  [11, 'D', 'bind-mounted parent', TABLE],
  [12, 'D', 'from a private mount namespace', TABLE],
  [14, 'D', 'after chroot and pivot_root', TABLE],
  [15, 'D', '/proc/self/root, cwd, fd, /proc/PID/map_files', TABLE],
  [16, 'D', '.., //, relative, near-PATH_MAX paths', TABLE],
  [17, 'D', 'names with newline, invalid UTF-8; casefolded directory', TABLE],
  [18, 'D', 'idmapped mount', TABLE],
  [19, 'D', 'unlinked by an exempt subject, recreated under the same name', TABLE],
  [20, 'D', 'replaced by rename over it by an exempt subject', TABLE],
  [21, 'A', 'inode number reused by an innocent file', TABLE],
  [22, 'D', 'O_TMPFILE + linkat onto a protected name', TABLE],
  [24, 'A', 'btrfs: same inode number in another subvolume', TABLE],
  [25, 'X or D', 'btrfs: snapshot of the subvolume holding the file', TABLE],
  [26, 'X', 'reflink copy made before the rule', TABLE],
  [27, 'D', 'overlay: rule on the lower file', TABLE],
  [28, 'D', 'overlay: rule on the merged path, upper file', TABLE],
  [29, 'D', 'overlay: copy-up of a protected lower file', TABLE],
  [30, 'D', 'overlay with metacopy and redirect_dir', TABLE],
  [31, 'D', 'xfs, tmpfs, squashfs, erofs', TABLE],
  [32, 'D', 'loop device re-attached under another number', TABLE],
  [33, 'D / D', 'path that did not exist when the rule came', TABLE],
  [121, 'D, X', 'vfat and other unstable identities', TABLE],
  [122, 'D', 'directory moved into a tree: its old descendants', TABLE],
  [123, 'D', 'file moved out of a tree that denies only read', TABLE],
  [124, 'D', 'file at depth 71, 500, 3,000 under a tree', TABLE],
  [34, 'D', 'open, openat, creat', TABLE],
  [36, 'A', 'O_PATH alone; fstat on it', TABLE],
  [37, 'D', 'O_PATH reopened through /proc/self/fd', TABLE],
  [38, 'D', 'O_TRUNC', TABLE],
  [39, 'D', 'O_APPEND, O_DIRECT', TABLE],
  [40, 'D', 'open_by_handle_at', TABLE],
  [41, 'D', 'io_uring OPENAT and OPENAT2', TABLE],
  [43, 'D / A', 'io_uring by a thread with other credentials', TABLE],
  [44, 'D or X', 'a file descriptor that fanotify supplied', TABLE],
  [45, 'D', 'swapon, acct, quotaon of the file', TABLE],
  [46, 'D', 'setuid program; root of a user namespace', TABLE],
  [47, 'A / D', 'read through an fd older than the rule', LIFECYCLE],
  [48, 'A / D', 'write through it', LIFECYCLE],
  [49, 'A / D', 'inherited over fork', LIFECYCLE],
  [50, 'A / D', 'passed by SCM_RIGHTS', LIFECYCLE],
  [52, 'A / D', 'dup across exec', LIFECYCLE],
  [53, 'A / D', 'splice, sendfile, copy_file_range from it', LIFECYCLE],
  [54, 'A / D', 'FICLONE, FIDEDUPERANGE from it', TABLE],
  [55, 'X', 'shared mapping older than the rule', LIFECYCLE],
  [56, 'D', 'mprotect to PROT_EXEC of an old mapping', LIFECYCLE],
  [57, 'A / D', 'io_uring registered file', LIFECYCLE],
  [58, 'D', 'truncate(2)', TABLE],
  [59, 'D', 'ftruncate on a new fd / old fd', LIFECYCLE],
  [61, 'D', 'unlink', TABLE],
  [62, 'D', 'rename over it', TABLE],
  [63, 'D', 'link from it', TABLE],
  [64, 'D', 'chmod, chown, utimes', TABLE],
  [65, 'D', 'setxattr, ACL, FS_IOC_SETFLAGS and compat', TABLE],
  [66, 'D', 'mount over it', TABLE],
  [67, 'D', 'executed directly', TABLE],
  [68, 'D', 'executed by symlink, by hard link', TABLE],
  [69, 'D / D', 'script, rule on the script / on the interpreter', TABLE],
  [70, 'A', 'as an argument of an interpreter', TABLE],
  [71, 'D', 'through ld.so', TABLE],
  [73, 'X', 'memfd copy, fexecve', TABLE],
  [75, 'D', 'LD_PRELOAD, dlopen of a protected object', TABLE],
  [76, 'D', 'AT_EXECVE_CHECK where the kernel has it', TABLE],
  [77, 'X', 'ptrace peek of an exempt reader', TABLE],
  [78, 'X', 'process_vm_readv of it', TABLE],
  [79, 'X', '/proc/pid/mem of it', TABLE],
  [80, 'X', 'raw block device holding it', TABLE],
  [
    81,
    'X',
    'exported by knfsd',
    missing('declared; the guest has no network file system client to show it with'),
  ],
  [
    82,
    'X',
    'page-cache corruption bugs',
    missing('declared; a bug of the kernel cannot be shown on kernels that lack it'),
  ],
  [83, 'old or new', 'swap under 16 opening threads', SWAP],
  [84, 'old or new', 'kill -9 between each pair of swap steps', CRASH],
  [85, 'old', 'map full or E2BIG while filling', ADDON],
  [86, 'old', 'ENOMEM while filling', ADDON],
  [87, 'R / reported', 'verifier rejects one needed / one unneeded program', ADDON],
  [88, 'R', 'BTF lacks a needed hook', ENFORCER],
  [89, 'R', 'lsm= lacks bpf', REFUSAL],
  [90, 'R', 'attach gives EBUSY, E2BIG', ADDON],
  [92, 'adopted', 'stale pins of an older build', LIFECYCLE],
  [93, 'detected', 'an empty map pinned under the expected name', LIFECYCLE],
  [94, 'D', 'no Warder process for 10 minutes', LIFECYCLE],
  [95, 'R', 'two agents, two enforcers', LIFECYCLE],
  [96, 'detected', 'bpffs unmounted', LIFECYCLE],
  [97, 'D', 'cgroup removed and its id reused', TABLE],
  [98, 'current', 'process migrated between cgroups', TABLE],
  [100, 'exact', 'event reader stopped', LIFECYCLE],
  [101, 'by boot time', 'clock stepped, suspend: break-glass', GLASS],
  [102, 'A', 'non-leader thread exits: state kept', TABLE],
  [104, 'ends', 'break-glass ends while no Warder process lives', GLASS],
  [125, 'detected', 'sabotages of hooks, links, pins, maps', SABOTAGE],
  [115, 'A', 'unrelated file', TABLE],
  [116, 'A', 'copy of the file', TABLE],
  [117, 'A', 'survival set member doing its job', TABLE],
  [118, 'A', 'exempt exe, uid, unit, cgroup', TABLE],
  [120, 'A', 'rule removed by a new generation', LIFECYCLE],
  [126, 'A', 'exempt program upgraded by rename', LIFECYCLE],
];

/** Every id of the list, in its order. */
export const KERNEL_CASES: readonly KernelCase[] = ROWS.map(([id, expected, title, shown]) => ({
  id,
  expected,
  title,
  shown,
}));
