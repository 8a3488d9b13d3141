/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kept.h - what is kept of a walk: that no rule is above a directory.
 *
 * An entry lives in the directory's inode and dies with it. It holds under one generation, for a
 * bounded time, and while the count of moves (moves.h) is what it was: after any rename on the host
 * it is worked out again. Entries are written under a version, so that none is read half.
 */
#ifndef WD_KEPT_H
#define WD_KEPT_H

#include "filter.h"
#include "live.h"
#include "moves.h"

struct wd_quiet {
	__u64 version; /* odd while the rest is written */
	__u64 tag;     /* of the generation */
	__u64 dentry;  /* of the directory: a directory might be seen in two places */
	__u64 jiffies; /* when it was worked out */
	__u32 sequence;
	__u32 names; /* 1: some name in this directory is protected; names are to be compared */
};

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wd_quiet);
} quiet SEC(".maps");

/* Faults that only objects built for tests have, to see that the oracle notices: 1 forgets moves, 2
 * generations, 3 names. */
#ifndef WD_PLANTED
#define WD_PLANTED 0
#endif

/* The sequence is 32 bits wide. Nobody makes 2^31 renames in this time (16 s at 1,000 Hz). */
#define WD_QUIET_JIFFIES 16384

static __always_inline __u64 wd_tag_of(const struct wd_generation *generation)
{
	/* A number might be given twice, by a store that was lost; the bytes would differ. */
	return generation->generation * WD_FILTER_PRIME ^ *(const __u64 *)generation->digest;
}

static __always_inline void wd_write_entry(struct wd_quiet *entry, const struct wd_quiet *answer)
{
	__u64 version = *(volatile __u64 *)&entry->version;

	if ((version & 1) ||
	    __sync_val_compare_and_swap(&entry->version, version, version + 1) != version)
		return; /* another processor writes it now */
	entry->tag = answer->tag;
	entry->dentry = answer->dentry;
	entry->jiffies = answer->jiffies;
	entry->sequence = answer->sequence;
	entry->names = answer->names;
	wd_barrier();
	__sync_fetch_and_add(&entry->version, 1);
}

/*
 * Makes an entry. The helper may only be given an inode that cannot go away: this one cannot while
 * its child, which the caller holds, is in it. If anything was moved until the helper had done its
 * work the child may have left, so what was made is taken away; the memory stays readable until
 * this program ends.
 */
static __noinline int wd_make_entry(const struct wd_quiet *answer, struct inode *dir)
{
	struct wd_quiet *entry =
		bpf_inode_storage_get(&quiet, dir, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (wd_rename_sequence() != answer->sequence)
		bpf_inode_storage_delete(&quiet, dir);
	else if (entry)
		wd_write_entry(entry, answer);
	return 0;
}

/* Whether the entry is whole and of now. */
static __always_inline int wd_holds(struct wd_quiet *entry, const struct wd_generation *generation,
				    struct dentry *parent, __u32 *ret_names)
{
	__u64 version = *(volatile __u64 *)&entry->version;
	__u32 sequence;

	wd_barrier();
	if ((version & 1) || (WD_PLANTED != 2 && entry->tag != wd_tag_of(generation)) ||
	    entry->dentry != (__u64)parent || bpf_jiffies64() - entry->jiffies > WD_QUIET_JIFFIES)
		return 0;
	sequence = entry->sequence;
	*ret_names = entry->names;
	wd_barrier();
	if (*(volatile __u64 *)&entry->version != version)
		return 0;
	return WD_PLANTED == 1 || sequence == wd_rename_sequence();
}

#endif
