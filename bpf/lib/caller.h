/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * caller.h - the facts of the current process: executables, user, control group. Part of live.h.
 *
 * Tasks and control groups stay readable under rcu_read_lock. A parent's memory map does not: it is
 * asked for again after its executable was read, and a parent that has exited or executed something
 * else in between is unknown, which exempts nobody.
 */
#ifndef WD_CALLER_H
#define WD_CALLER_H

static __always_inline struct file *wd_exe_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	return mm ? mm->exe_file : NULL;
}

/* The file that the current process executes; NULL for kernel threads. */
static __always_inline struct file *wd_current_exe(void)
{
	return wd_exe_of(bpf_get_current_task_btf());
}

#define WD_NOBODY ~0u /* no row has this uid */

/* The uid of the credentials in force, where they may be borrowed from whoever mounted an overlay. */
static __noinline __u32 wd_own_uid(__u32 borrowed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *owner = task;
	__u32 works = task->flags & WD_PF_IO_WORKER;
	const struct cred *own;

	/* A worker keeps the credentials that its process had once, and borrows the submitter's. */
	if (works)
		owner = task->group_leader;
	own = owner ? owner->real_cred : NULL;
	if (!own)
		return WD_NOBODY;
	if (works && own->euid.val != borrowed)
		return WD_NOBODY;
	return own->euid.val;
}

static __always_inline __u32 wd_current_uid(__u32 own_creds)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct cred *cred = task->cred;
	/* Not the helper: it gives the real uid. io_uring workers carry the submitter's creds. */
	__u32 uid = cred ? cred->euid.val : WD_NOBODY;

	return own_creds ? wd_own_uid(uid) : uid;
}

static __always_inline void wd_read_program(struct file *exe, struct wd_program *program)
{
	struct dentry *dentry, *parent;

	if (!exe)
		return;
	program->known = wd_identify(exe->f_inode, &program->file) > 0;
	dentry = exe->f_path.dentry;
	parent = dentry ? dentry->d_parent : NULL;
	if (parent)
		wd_identify(parent->d_inode, &program->parent);
}

static __noinline int wd_read_parent(struct wd_program *program)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *parent = task->real_parent;
	struct mm_struct *before, *after;

	if (!parent)
		return 0;
	before = parent->mm;
	wd_read_program(wd_exe_of(parent), program);
	barrier();
	after = parent->mm;
	if (before != after)
		program->known = 0;
	return 0;
}

struct wd_group_climb {
	struct wd_subject *subject;
	struct cgroup *here;
};

/* Remembers where the name of one control group is; the callback of bpf_loop. */
static __noinline long wd_group_up(__u32 index, struct wd_group_climb *climb)
{
	struct cgroup *here = climb->here;
	struct cgroup_subsys_state *above = here->self.parent;
	struct kernfs_node *node = here->kn;
	__u32 level = here->level;

	if (!above || !level)
		return 1;
	if (level <= WD_CGROUP_DEPTH)
		climb->subject->name_at[(level - 1) & (WD_CGROUP_DEPTH - 1)] =
			node ? (__u64)node->name : 0;
	climb->here = above->cgroup;
	return !climb->here;
}

static __noinline int wd_read_groups(struct wd_subject *subject)
{
	struct wd_group_climb climb = { .subject = subject };
	struct task_struct *task = bpf_get_current_task_btf();
	struct css_set *set = task->cgroups;
	struct cgroup *here = set ? set->dfl_cgrp : NULL;

	if (!here)
		return 0;
	subject->depth = here->level;
	if (subject->depth > WD_CGROUP_DEPTH)
		subject->depth = WD_CGROUP_DEPTH;
	climb.here = here;
	wd_repeat(WD_DEPTH_MAX, wd_group_up, &climb);
	return 0;
}

static __always_inline void wd_subject_read(struct wd_judge *judge)
{
	struct wd_subject *subject = &judge->findings->subject;

	subject->uid = wd_current_uid(judge->findings->own_creds);
	wd_read_program(wd_current_exe(), &subject->exe);
	if (judge->generation->matches & WD_MATCHES_PARENT)
		wd_read_parent(&subject->up);
	if (judge->generation->grouped)
		wd_read_groups(subject);
}

static __always_inline void wd_subject_name(struct wd_judge *judge, __u32 up, char *name)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *exe;

	if (up)
		task = task->real_parent;
	exe = task ? wd_exe_of(task) : NULL;
	wd_copy_name(exe ? exe->f_path.dentry : NULL, name);
}

static __always_inline __u32 wd_subject_group(struct wd_judge *judge, __u32 depth, char *name)
{
	const char *from =
		(const char *)judge->findings->subject.name_at[depth & (WD_CGROUP_DEPTH - 1)];
	long got;

	wd_zero(name, WD_NAME_MAX);
	got = from ? bpf_probe_read_kernel_str(name, WD_NAME_MAX, from) : 0;
	return got > 1 ? got - 1 : 0;
}

#endif
