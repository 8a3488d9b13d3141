// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * mount.bpf.c - hooks on what takes a place over: mount, bind, move, pivot_root.
 *
 * The object is what lies under the new mount. Changing the flags or the propagation of a mount, and
 * taking one away, puts nothing over anything. In-kernel automounts (NFS, AFS) call no hook.
 */
#include "enforce.h"

#define WD_MS_REMOUNT 0x20
#define WD_MS_BIND 0x1000
#define WD_MS_CHANGES_TYPE 0x1e0000 /* MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED */

static __always_inline int wd_judge_mount(__u32 hook, const struct path *path)
{
	struct wd_request request = { .hook = hook, .op = WD_OP_MOUNT };

	request.from = path->dentry;
	if (!request.from)
		return 0;
	request.inode = request.from->d_inode;
	return wd_enforce(&request);
}

SEC("lsm/sb_mount")
int BPF_PROG(sb_mount, const char *device, const struct path *path, const char *type,
	     unsigned long flags, void *data, int ret)
{
	if (ret != 0)
		return ret;
	if (flags & WD_MS_REMOUNT)
		return 0;
	/* The kernel looks for MS_BIND first, so with it the others change nothing. */
	if ((flags & WD_MS_CHANGES_TYPE) && !(flags & WD_MS_BIND))
		return 0;
	return wd_judge_mount(WD_HOOK_SB_MOUNT, path);
}

SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from, const struct path *to, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_mount(WD_HOOK_MOVE_MOUNT, to);
}

/* The old root is put over the first path. */
SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *put_old, const struct path *new_root, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_mount(WD_HOOK_SB_PIVOTROOT, put_old);
}
