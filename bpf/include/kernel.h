/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - the kernel types that the programs read, member by member.
 *
 * Hand-written instead of a dumped vmlinux.h, so that the same object comes from any build machine.
 * preserve_access_index makes every access a CO-RE relocation: order, offsets and surrounding
 * members are the running kernel's. Only 64-bit kernels are supported: i_ino is unsigned long up
 * to 7.2 and u64 from 7.3 on, both of eight bytes there.
 */
#ifndef WD_KERNEL_H
#define WD_KERNEL_H

#include <linux/types.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct dentry;

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode {
	__u16 i_mode;
	unsigned int i_flags;
	struct hlist_head i_dentry;
	__u32 i_nlink;
	__u32 i_generation;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
	};
	const unsigned char *name;
};

struct seqcount {
	unsigned int sequence;
};

typedef struct seqcount seqcount_t;

struct seqcount_spinlock {
	seqcount_t seqcount;
};

typedef struct seqcount_spinlock seqcount_spinlock_t;

struct dentry {
	unsigned int d_flags;
	seqcount_spinlock_t d_seq;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path root;
};

struct bpf_map {
	__u32 id;
};

struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
};

/* From 6.19 on f_path is one of a union's members: see wd_path_is_loose(). */
struct file___union {
	struct path __f_path;
};

/* What overlayfs has opened beneath, from 6.5 on: FMODE_BACKING tells. */
struct backing_file {
	struct path user_path;
};

/* Since 6.14, together with another value of FMODE_BACKING. */
enum fsnotify_data_type {
	FSNOTIFY_EVENT_FILE_RANGE = 1,
};

/* Since 6.17, together with the hook inode_file_setattr. */
struct file_attr {
	__u64 fa_xflags;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

struct linux_binprm {
	struct file *file;
};

struct iattr {
	unsigned int ia_valid;
};

struct mm_struct {
	struct file *exe_file;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct kernfs_node {
	const char *name;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	int level;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct mm_struct *mm;
	const struct cred *cred;
	const struct cred *real_cred;
	struct css_set *cgroups;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 start_boottime;
	unsigned int ptrace;
	struct fs_struct *fs;
};

#pragma clang attribute pop

/* Macros of the kernel that BTF does not carry. Checked against 6.1 and 6.12. */
#define WD_EACCES 13
#define WD_FMODE_READ 0x1
#define WD_FMODE_WRITE 0x2
#define WD_FMODE_BACKING 0x1000000
#define WD_FMODE_BACKING_TO_6_13 0x2000000 /* FMODE_NONOTIFY since */
#define WD_FMODE_EXEC 0x20 /* in f_flags: opened by execve; user space cannot set it */
#define WD_PROT_READ 0x1
#define WD_PROT_WRITE 0x2
#define WD_PROT_EXEC 0x4
#define WD_MAP_SHARED 0x1 /* MAP_SHARED_VALIDATE has this bit, MAP_PRIVATE has not */
#define WD_VM_EXEC 0x4
#define WD_PF_IO_WORKER 0x10 /* of a task's flags */
#define WD_S_IFMT 0170000
#define WD_S_IFDIR 0040000
#define WD_S_CASEFOLD (1 << 15) /* of i_flags */
#define WD_DCACHE_DISCONNECTED 0x20

#define WD_ATTR_MODE (1 << 0)
#define WD_ATTR_UID (1 << 1)
#define WD_ATTR_GID (1 << 2)
#define WD_ATTR_SIZE (1 << 3)
#define WD_ATTR_ATIME (1 << 4)
#define WD_ATTR_MTIME (1 << 5)
#define WD_ATTR_ATIME_SET (1 << 7)
#define WD_ATTR_MTIME_SET (1 << 8)
#define WD_ATTR_FORCE (1 << 9)
#define WD_ATTR_TIMES_SET (1 << 16)
#define WD_ATTR_TOUCH (1 << 17)

/*
 * Runs fn(index, ctx) for 0 <= index < n until it returns 1.
 *
 * Verifiers before 6.7 look at fn once, with the stack as it is before the first call, and remove
 * what is dead in that state. So nothing on the stack that fn changes may start as a known number
 * or as NULL: such state lives in a map, which no verifier follows, or starts as another pointer.
 */
#define wd_repeat(n, fn, ctx) bpf_loop(n, fn, ctx, 0)

/*
 * Zeroes memory of a map: a read that fails does. A memset() of such size becomes a store for each
 * word or byte, which the verifier follows and the compiler of the kernel translates every time.
 */
#define wd_zero(to, bytes) bpf_probe_read_kernel(to, bytes, NULL)

#endif
