/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * layers.h - one open of a file on overlayfs is one event.
 *
 * overlayfs opens the file of a layer beneath while it opens its own, by the same task. In mode
 * enforce a refusal ends both; in audit both may be reported. So a reported would-deny of an open
 * on overlayfs is remembered for its task, and the open beneath it is its echo. The layer that
 * judged first, the merged one, is the one that is told.
 *
 * Losing the memory (no space) only costs a second event.
 */
#ifndef WD_LAYERS_H
#define WD_LAYERS_H

#include "live.h"

struct wd_told {
	__u64 dentry; /* on overlayfs; never followed, only compared */
	__u64 generation;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wd_told);
} told SEC(".maps");

/* A macro's value moved, so what came with the move tells which one it is. */
static __always_inline int wd_is_backing(struct file *file)
{
	if (bpf_core_enum_value_exists(enum fsnotify_data_type, FSNOTIFY_EVENT_FILE_RANGE))
		return (file->f_mode & WD_FMODE_BACKING) != 0;
	return (file->f_mode & WD_FMODE_BACKING_TO_6_13) != 0;
}

/* The dentry that user space opened, when `file` is what overlayfs opens beneath it; else 0. */
static __always_inline __u64 wd_opened_above(struct file *file)
{
	const struct backing_file *backing;
	struct dentry *dentry;

	if (wd_is_backing(file)) {
		backing = (const struct backing_file *)file;
		if (!bpf_core_field_exists(backing->user_path))
			return 0;
		return (__u64)BPF_CORE_READ(backing, user_path.dentry);
	}
	/* Up to 6.4 the file beneath bears the path above. */
	dentry = file->f_path.dentry;
	if (!dentry || dentry->d_inode == file->f_inode)
		return 0;
	return (__u64)dentry;
}

/* Is this open part of one that was reported already? */
static __always_inline int wd_is_echo(struct file *file)
{
	const struct wd_generation *generation;
	struct task_struct *task;
	struct wd_told *last;
	__u64 above = wd_opened_above(file);

	if (!above)
		return 0;
	task = bpf_get_current_task_btf();
	last = bpf_task_storage_get(&told, task, NULL, 0);
	generation = wd_committed();
	return last && generation && last->dentry == above &&
	       last->generation == generation->generation;
}

/* Remembers that a would-deny of opening `dentry` is being reported. */
static __noinline int wd_note_told(struct dentry *dentry, struct inode *inode, __u64 generation)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wd_told *last;

	if (wd_magic_of(inode) != WD_OVERLAYFS_MAGIC)
		return 0;
	last = bpf_task_storage_get(&told, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!last)
		return 0;
	last->dentry = (__u64)dentry;
	last->generation = generation;
	return 0;
}

#endif
