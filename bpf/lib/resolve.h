/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * resolve.h - what the loader asks of the programs: identities, and to list what it must protect.
 *
 * Only the loader writes `resolve`, whose pin is root's, and it sets `tid` only while it asks.
 */
#ifndef WD_RESOLVE_H
#define WD_RESOLVE_H

#include "live.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_resolve);
} resolve SEC(".maps");

/* The request of the current thread, or NULL. */
static __always_inline struct wd_resolve *wd_own_request(void)
{
	__u32 zero = 0;
	struct wd_resolve *asked = bpf_map_lookup_elem(&resolve, &zero);

	if (!asked || !asked->tid || asked->tid != (__u32)bpf_get_current_pid_tgid())
		return NULL;
	return asked;
}

static __always_inline __u64 wd_thread_start(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

	return task->start_boottime;
}

/*
 * Does the loader's thread list a directory, to find the files that have further names elsewhere?
 *
 * A generation that denies `read` on a tree denies it to the loader too, and then its successor
 * could never be compiled. What this gives away is names, to the process that protects them: no
 * content of a regular file, no way to change anything, no other thread (a number that is used again
 * has another start), and nothing outside the time of a scan.
 */
static __always_inline int wd_is_scan(struct inode *inode)
{
	struct wd_resolve *asked;

	if (!wd_is_dir(inode))
		return 0;
	asked = wd_own_request();
	return asked && asked->lister_ns && asked->lister_ns == wd_thread_start();
}

#endif
