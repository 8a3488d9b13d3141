/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * self.h - who the enforcer is, to the kernel.
 *
 * Not "whoever executes node": anybody could run anything with that. The launcher is a small static
 * program that takes nothing from whoever starts it (no arguments, no environment, no descriptors)
 * and executes the runtime on Warder's own program. Its lineage is kept per task and not inherited:
 * children of the enforcer, canaries among them, are ordinary processes.
 */
#ifndef WD_SELF_H
#define WD_SELF_H

#include "live.h"

#define WD_LINEAGE_LAUNCHED 1
#define WD_LINEAGE_ENFORCER 2

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_self);
} self SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct wd_own_key);
	__type(value, __u32);
} own SEC(".maps");

/* On the leader of a thread group. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} lineage SEC(".maps");

static __always_inline struct wd_self *wd_self(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&self, &zero);
}

static __always_inline int wd_self_on(void)
{
	struct wd_self *own_self = wd_self();

	return own_self && own_self->on;
}

/* WD_LINEAGE_* of the process that a task belongs to, or 0. */
static __always_inline __u32 wd_lineage_of(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	__u32 *stage;

	if (!leader)
		return 0;
	stage = bpf_task_storage_get(&lineage, leader, NULL, 0);
	return stage ? *stage : 0;
}

static __noinline int wd_is_enforcer(void)
{
	return wd_lineage_of(bpf_get_current_task_btf()) == WD_LINEAGE_ENFORCER;
}

static __always_inline int wd_same(const struct wd_identity *a, const struct wd_identity *b)
{
	return a->ino == b->ino && a->sub == b->sub && a->dev == b->dev && a->gen == b->gen;
}

/* Neither in a chroot nor in a mount namespace of somebody's making. */
static __always_inline int wd_sees_our_root(struct task_struct *task, struct wd_self *own_self)
{
	struct fs_struct *fs = task->fs;

	if (!fs)
		return 0;
	return (__u64)fs->root.mnt == own_self->root_mount &&
	       (__u64)fs->root.dentry == own_self->root_dentry;
}

/* The process that switches protection on was started before there was anybody to watch it. */
static __always_inline void wd_claim(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;
	struct wd_self *own_self = wd_self();
	struct fs_struct *fs = task->fs;
	__u32 *stage;

	if (!own_self || !leader || !fs || (own_self->on && !wd_is_enforcer()))
		return;
	stage = bpf_task_storage_get(&lineage, leader, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!stage)
		return;
	*stage = WD_LINEAGE_ENFORCER;
	own_self->root_mount = (__u64)fs->root.mnt;
	own_self->root_dentry = (__u64)fs->root.dentry;
}

#endif
