/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h - the contract between the BPF programs, the native loader and user space.
 *
 * Invariants:
 *  - Every struct has fixed-width members and no implicit padding; src/wire/abi.ts packs the same
 *    layouts, and a test compares both with the BTF of the built object.
 *  - Zero is "unset" everywhere: in labels, in classes, in operations, in actions.
 *  - One generation is a header plus a bank of frozen maps; a decision reads the header once.
 *
 * Deliberately absent: path strings as keys. Objects are identities and names; see
 * docs/POLICY_SEMANTICS.md.
 */
#ifndef WD_ABI_H
#define WD_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define WD_ABI_VERSION 3

/* Limits. The compiler refuses a policy beyond them with a code, never truncates. */
#define WD_RULES_MAX 1024 /* rules of one generation, baseline included */
#define WD_WORDS (WD_RULES_MAX / 64)
#define WD_NAME_MAX 256	   /* NAME_MAX (255) and the terminating zero */
#define WD_DEPTH_MAX 4096  /* steps of a walk; beyond it the decision is incomplete: deny */
#define WD_WALK_TRIES 16   /* walks that a concurrent rename may spoil before the same */
#define WD_BANKS 4	   /* generations that may be pinned at one time */
#define WD_PATH_BYTES 1024 /* bytes of path in an event; longer paths are cut and say so */
#define WD_COMM_BYTES 16
#define WD_STACK_FRAMES 32 /* of a recorded stack, innermost first */
#define WD_CGROUP_DEPTH 16 /* names of a control group that policies can tell apart */

/* Operations, in the order of docs/POLICY_SEMANTICS.md. The number is ABI. */
enum wd_op {
	WD_OP_UNSET = 0,
	WD_OP_READ = 1,
	WD_OP_WRITE = 2,
	WD_OP_CREATE = 3,
	WD_OP_DELETE = 4,
	WD_OP_RENAME = 5,
	WD_OP_LINK = 6,
	WD_OP_SETATTR = 7,
	WD_OP_EXECUTE = 8,
	WD_OP_MOUNT = 9,
	WD_OP_USE = 10,
	/* Of the tables only: rules that list use and read, use and write. */
	WD_OP_USE_READ = 11,
	WD_OP_USE_WRITE = 12,
	WD_OPS = 16, /* size of tables indexed by operation */
};

enum wd_action {
	WD_ACTION_UNSET = 0,
	WD_ACTION_ALLOW = 1,
	WD_ACTION_AUDIT = 2, /* allowed, and an event says that enforce would deny */
	WD_ACTION_DENY = 3,
	/* Denied by rules that break-glass relaxes, so allowed; never an allow in silence. */
	WD_ACTION_LET = 4,
};

/* Why a verdict is not an allow. */
enum wd_reason {
	WD_REASON_UNSET = 0,
	WD_REASON_RULE = 1,  /* a rule covers the request */
	WD_REASON_REFER = 2, /* a move or link would leave a tree whose denies the target lacks */
	WD_REASON_INCOMPLETE = 3, /* depth, a race with renames or no scratch space: deny */
	WD_REASON_SELF = 4,	  /* protects the decision itself (subject spoofing) */
};

/* The hook that judged, for events and attach proof. The number is ABI. */
enum wd_hook {
	WD_HOOK_UNSET = 0,
	WD_HOOK_FILE_OPEN = 1,
	WD_HOOK_MMAP_FILE = 2,
	WD_HOOK_FILE_MPROTECT = 3,
	WD_HOOK_FILE_IOCTL = 4,
	WD_HOOK_FILE_IOCTL_COMPAT = 5,
	WD_HOOK_FILE_TRUNCATE = 6,
	WD_HOOK_BPRM_CHECK = 7,
	WD_HOOK_INODE_CREATE = 8,
	WD_HOOK_INODE_LINK = 9,
	WD_HOOK_INODE_UNLINK = 10,
	WD_HOOK_INODE_SYMLINK = 11,
	WD_HOOK_INODE_MKDIR = 12,
	WD_HOOK_INODE_RMDIR = 13,
	WD_HOOK_INODE_MKNOD = 14,
	WD_HOOK_INODE_RENAME = 15,
	WD_HOOK_INODE_SETATTR = 16,
	WD_HOOK_INODE_SETXATTR = 17,
	WD_HOOK_INODE_REMOVEXATTR = 18,
	WD_HOOK_INODE_SET_ACL = 19,
	WD_HOOK_INODE_REMOVE_ACL = 20,
	WD_HOOK_INODE_FILE_SETATTR = 21,
	WD_HOOK_TASK_PRCTL = 22,
	WD_HOOK_INODE_GETATTR = 23, /* the resolver; judges nothing */
	WD_HOOK_SB_MOUNT = 24,
	WD_HOOK_MOVE_MOUNT = 25,
	WD_HOOK_SB_PIVOTROOT = 26,
	WD_HOOK_FILE_PERMISSION = 27,
	WD_HOOK_QUOTA_ON = 28,
	/* From here on: hooks that protect Warder itself. */
	WD_HOOK_BPF_MAP = 40,
	WD_HOOK_BPF_PROG = 41,
	WD_HOOK_PTRACE_ACCESS_CHECK = 42,
	WD_HOOK_TASK_KILL = 43,
	WD_HOOK_SB_UMOUNT = 44,
	WD_HOOK_BPRM_COMMITTED_CREDS = 45,
	WD_HOOKS = 64,
};

/* A set of rules. Bit n is the rule with the n-th smallest `policy/rule` in byte order, so the
 * lowest bit of a set is the rule that a verdict reports. */
struct wd_ruleset {
	__u64 word[WD_WORDS];
};

/* What a file is, whatever it is called. Valid for one boot. `sub` is the subvolume id on btrfs,
 * else 0. */
struct wd_identity {
	__u64 ino;
	__u64 sub;
	__u32 dev; /* s_dev of the superblock, as the kernel encodes it */
	__u32 gen; /* i_generation */
};

/* What a generation knows of an identity, or of a name. Labels are indices into `labels`; 0 is
 * the empty set. */
struct wd_object {
	__u32 self;	/* rules that cover this object itself (path objects) */
	__u32 tree;	/* rules that cover it and everything below it (tree objects) */
	__u32 ancestor; /* rules that cover renaming it, because a protected name lies below */
	__u32 exe;	/* class of exempt executables; 0 is none */
	__u32 flags;	/* WD_OBJECT_* */
	__u32 pad;	/* zero */
};
#define WD_OBJECT_HAS_NAMES 1u /* some name directly in this directory is in `names` */

/* A name: the directory entry itself, whatever inode it leads to now, or none. */
struct wd_name_key {
	struct wd_identity parent;
	char name[WD_NAME_MAX]; /* zero padded to the end */
};

/* Exemption rows: which rules do not apply to this subject. A request collects the rows of every
 * combination of its facts; a fact that does not count is 0 and lacks its bit in `match`. */
struct wd_exempt_key {
	__u32 exe;    /* class of the executable */
	__u32 parent; /* class of the parent's executable */
	__u32 group;  /* of struct wd_group */
	__u32 uid;    /* effective uid in the initial namespace */
	__u32 match;  /* WD_EXEMPT_* that must hold */
};
#define WD_EXEMPT_EXE 1u
#define WD_EXEMPT_UID 2u
#define WD_EXEMPT_PARENT 4u
#define WD_EXEMPT_GROUP 8u

/*
 * Control groups of policies, as a tree of names: the path of a process is followed from its root.
 * By name and not by id, because a unit that is started again has a new id, and a scope must not
 * be without it until somebody has noticed.
 */
struct wd_group_key {
	__u32 node; /* WD_GROUP_*, or `next` of the name above */
	char name[WD_NAME_MAX];
};
struct wd_group {
	__u32 next;  /* node of the names below; 0: none is in `groups` */
	__u32 group; /* number that exemptions know this group by; 0: none does */
	__u32 scope; /* label: rules whose scope has this group */
	__u32 pad;   /* zero */
};
#define WD_GROUP_ROOT 1u  /* names directly below the root of the hierarchy */
#define WD_GROUP_UNITS 2u /* names of systemd units, wherever their slice is */

/* The committed header: the only thing that a decision reads to know what is in force. */
struct wd_generation {
	__u64 generation;	      /* >= 1; strictly increasing on a host */
	__u32 bank;		      /* index into the outer maps */
	__u32 rules;		      /* how many bits of a ruleset are in use */
	__u8 digest[32];	      /* SHA-256 over the packed image; see src/wire/abi.ts */
	struct wd_ruleset enforce;    /* rules of policies in mode enforce; the others audit */
	struct wd_ruleset op[WD_OPS]; /* rules that list the operation */
	struct wd_ruleset scoped;     /* rules that hold only inside their scope */
	__u32 matches;		      /* bit m: some row of `exempt` has match m */
	__u32 grouped;		      /* 1: there are rows in `groups` */
};

struct wd_verdict {
	__u32 action; /* enum wd_action */
	__u32 rule;   /* bit index; meaningful for RULE and REFER */
	__u32 reason; /* enum wd_reason */
	__s32 ret;    /* 0 or -EACCES */
};

/* One deny, would-deny or incomplete decision. */
struct wd_event {
	__u64 sequence; /* per cpu, from 1, counted before space is reserved: gaps are losses */
	__u64 generation;
	__u64 boottime_ns;	 /* bpf_ktime_get_boot_ns() */
	__u64 start_boottime_ns; /* of the thread group leader: names a pid uniquely */
	__u64 cgroup_id;
	struct wd_identity object;
	struct wd_identity exe;
	__u32 cpu;
	__u32 rule;
	__u16 hook;
	__u16 op;
	__u8 action;
	__u8 reason;
	__u16 path_len; /* bytes of path in use */
	__s32 ret;
	__u32 pid;
	__u32 tgid;
	__u32 ppid;	    /* tgid of the real parent */
	__u32 uid;	    /* effective, initial namespace */
	__u32 path_flags;   /* WD_PATH_* */
	__u64 kernel_stack; /* keys of `stacks`; 0: none was recorded */
	__u64 user_stack;
	__u64 token; /* of wd_glass, with WD_ACTION_LET; else 0 */
	char comm[WD_COMM_BYTES];
	/* Names from the object up to the filesystem root, each ended by a zero byte. */
	char path[WD_PATH_BYTES];
};
#define WD_PATH_CUT 1u /* upper directories are missing */

/* A value of `stacks`, whose key is a hash of it. Unused frames are zero. */
struct wd_stack {
	__u64 frame[WD_STACK_FRAMES];
};

/* Per-cpu counters, never reset while pinned. emitted + dropped == sequence. */
struct wd_counters {
	__u64 sequence;
	__u64 emitted;
	__u64 dropped;
	__u64 denied;
	__u64 audited;
	__u64 incomplete;
	__u64 decisions; /* requests that a rule might concern, judged under a generation */
	__u64 retries;	 /* walks repeated because of a rename */
	__u64 let;	 /* denials that break-glass let through */
};

/*
 * Break-glass: rules of one generation that do not hold for a while. Frozen; replaced as a whole. It
 * ends by the clock that counts from the boot and through suspend, whether or not anybody is there
 * to take it away.
 */
struct wd_glass {
	__u64 token;	  /* names it in events; never 0 */
	__u64 until_ns;	  /* boot time */
	__u64 generation; /* whose bits `rules` are; it says nothing about another one */
	__u64 cgroup;	  /* id: only processes in it or below it; 0: any process */
	__u32 level;	  /* of that control group; the root has 0 */
	__u32 pad;	  /* zero */
	struct wd_ruleset rules;
};

/* The resolver: user space writes the thread id, calls statx on an O_PATH descriptor and reads the
 * identity that the kernel saw. While it looks for hard links it also writes `lister_ns`. */
struct wd_resolve {
	__u32 tid;  /* 0: off */
	__u32 seen; /* 1 when `identity` was filled since tid was written */
	struct wd_identity identity;
	__u32 nlink;
	__u32 mode;
	__u64 magic;	 /* s_magic of the superblock */
	__u64 thread_ns; /* out: start_boottime of the thread that asked */
	/* Not 0: the thread of that id and this start may list any directory. The start names the
	 * thread uniquely, so a scan that died leaves nothing for a later thread of its id. */
	__u64 lister_ns;
	__u32 claim; /* 1: the process of this thread is the enforcer; while `self` is off, or by it */
	__u32 folds; /* 1: a directory whose names compare without case */
};

/*
 * Where file systems that are modules keep what is asked of them: offsets in bytes, from the BTF of
 * the module. Written by the loader only. Each `known` is 0 until the module was seen.
 */
struct wd_layouts {
	__u32 btrfs_known;
	__u32 btrfs_inode;   /* btrfs_inode.vfs_inode */
	__u32 btrfs_root;    /* btrfs_inode.root */
	__u32 btrfs_root_id; /* btrfs_root.root_key.objectid */
	__u32 overlay_known;
	__u32 overlay_inode; /* ovl_inode.vfs_inode */
	__u32 overlay_entry; /* ovl_inode.oe; 0: the kernel has the lower path in the inode itself */
	__u32 overlay_lower; /* the first lower dentry, in that entry or in ovl_inode */
};

/*
 * Who the enforcer is. A process becomes the enforcer by executing `launcher` and then, from the
 * same task, `runtime`: untraced, and seeing the same root as the process that switched this on.
 */
struct wd_self {
	__u32 on;	  /* 1: what is Warder's is closed to every other process */
	__u32 pins_dev;	  /* s_dev of the BPF file system that holds the pins */
	__u64 root_mount; /* addresses; out: of the process that claimed */
	__u64 root_dentry;
	struct wd_identity launcher;
	struct wd_identity runtime;
};

/* A kernel object of Warder's, by its id. */
struct wd_own_key {
	__u32 kind; /* WD_OWN_* */
	__u32 id;
};
#define WD_OWN_MAP 1u
#define WD_OWN_PROG 2u

/* A program as the loader loaded it: what is attached under its hook must be just that. A tag leaves out
 * which maps a program uses. All zero: not known. */
#define WD_PROGRAM_MAPS 32 /* of one program */
struct wd_loaded {
	__u8 tag[8];
	__u32 map_count; /* may be above the limit; the ids then are the first ones */
	__u32 map_ids[WD_PROGRAM_MAPS]; /* in the order of the program's instructions */
};

/* A request for the test program: the same as a hook builds from dentries, from an array. */
#define WD_TEST_STEPS 16
struct wd_test_step {
	struct wd_identity identity; /* all zero: a name without an inode (negative dentry) */
	char name[64];
};
struct wd_test_request {
	__u32 op; /* enum wd_op */
	__u32 uid;
	struct wd_identity exe;
	struct wd_identity exe_parent;
	char exe_name[64];
	struct wd_identity up; /* executable of the parent process */
	struct wd_identity up_parent;
	char up_name[64];
	__u32 groups; /* names of the control group */
	__u32 pad;
	__u32 from_steps; /* object first, filesystem root last */
	__u32 to_steps;	  /* destination of a rename or link; 0: none */
	__u32 replaces;	  /* the destination exists: it is deleted by the rename */
	__u32 is_dir;	  /* the object is a directory */
	struct wd_test_step from[WD_TEST_STEPS];
	struct wd_test_step to[WD_TEST_STEPS];
	char group[WD_CGROUP_DEPTH][64]; /* from the root down */
	struct wd_verdict verdict; /* out */
	__u64 generation;	   /* out */
};

#endif
