/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * live.h - what walk.h and subject.h ask of the running kernel: dentries, task, scratch.
 *
 * Non-sleepable LSM programs run under rcu_read_lock, so a dentry, its name and its parent stay
 * readable during a walk; whether they belong together is the business of climb.h. They may be
 * preempted by another task that runs the same program on the same CPU: hence the busy flag.
 */
#ifndef WD_LIVE_H
#define WD_LIVE_H

#include "kernel.h"

#define WD_SLOTS 8

struct wd_cursor {
	struct dentry *here;
	struct dentry *below;
	struct inode
		*inode; /* of `here`; the opened one at the start, see overlayfs in file.bpf.c */
	/* Where the walk begins, each time. */
	struct dentry *first;
	struct inode *first_inode;
};

struct wd_place {
	__u64 trace;   /* hash of the chain: every dentry and its d_seq */
	__u64 address; /* of the dentry being hashed */
	__u64 start;   /* the alias that the walk starts at instead of its dentry, or 0 */
	__u64 alias;   /* instead of cursor.here, a dentry that is only known by its address */
	__u64 alias_below;
	__u32 tracing;	 /* 1: hash the chain on the way */
	__u32 ending;	 /* 1: nothing but its end was seen of the name that is being folded */
	__u32 dotless;	 /* 1: dots at the end of that name do not count */
	__u32 moving;	 /* 1: a dentry of the chain was being renamed */
	__u32 directory; /* 1: the object is a directory */
};

#include "modules.h"
#include "walk.h"
#include "subject.h"
#include "records.h"

struct wd_scratch {
	__u64 busy;
	struct wd_findings findings;
	struct wd_event event;
	char slack[WD_NAME_MAX]; /* the last name may be written beyond the path */
	struct wd_stack stack;
	__u64 stack_key; /* of `stack`, while it is worked out */
	/* Of break-glass: its name, and what was decided without it. */
	__u64 token;
	struct wd_decision first;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WD_SLOTS);
	__type(key, __u32);
	__type(value, struct wd_scratch);
} scratch SEC(".maps");

/* Zero, and no verifier knows. */
static __always_inline __u64 wd_nil(const struct wd_generation *generation)
{
	const volatile __u32 *bank = &generation->bank;

	return *bank ^ *bank;
}

/* `nil` is wd_nil(): a verifier that knows the keys takes every slot for another one. */
static __noinline struct wd_scratch *wd_borrow(__u64 nil)
{
	struct wd_scratch *slot;

	for (__u32 i = 0; i < WD_SLOTS; i++) {
		__u32 key = i + nil;

		slot = bpf_map_lookup_elem(&scratch, &key);
		if (!slot)
			return NULL;
		if (__sync_val_compare_and_swap(&slot->busy, 0, 1) == 0)
			return slot;
	}
	return NULL;
}

static __always_inline void wd_release(struct wd_scratch *slot)
{
	__sync_lock_test_and_set(&slot->busy, 0);
}

static __always_inline int wd_identify(const struct inode *inode, struct wd_identity *identity)
{
	const struct super_block *sb;

	if (!inode)
		return 0;
	sb = inode->i_sb;
	if (!sb)
		return -1;
	identity->ino = inode->i_ino;
	identity->sub = sb->s_magic == WD_BTRFS_MAGIC ? wd_btrfs_subvolume(inode) : 0;
	identity->dev = sb->s_dev;
	identity->gen = inode->i_generation;
	return 1;
}

static __always_inline int wd_is_dir(const struct inode *inode)
{
	return inode && (inode->i_mode & WD_S_IFMT) == WD_S_IFDIR;
}

/*
 * Verifiers trust no pointer out of a union, and helpers take only what is trusted: where a file's path
 * is in one, nothing can be kept of what is reached through it.
 */
static __always_inline __u64 wd_path_is_loose(void)
{
	return bpf_core_field_exists(struct file___union, __f_path);
}

#include "cursor.h"

#include "caller.h"

#endif
