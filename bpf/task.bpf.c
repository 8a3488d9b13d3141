// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * task.bpf.c - keeps a process from borrowing the executable of another, and resolves identities.
 */
#include "enforce.h"
#include "resolve.h"

#define WD_PR_SET_MM 35
#define WD_PR_SET_MM_EXE_FILE 13
#define WD_PR_SET_MM_MAP 14

/* The all-zero row of `exempt` says that some exemption depends on the executable. */
static __always_inline int wd_exempts_exe(void)
{
	const struct wd_generation *generation = wd_committed();
	struct wd_exempt_key none = {};
	void *map;
	__u32 bank;

	if (!generation)
		return 0;
	bank = generation->bank;
	map = bpf_map_lookup_elem(&exempt, &bank);
	return map && bpf_map_lookup_elem(map, &none);
}

/* Returning 0 leaves the call to the kernel, although the hook's own default is -ENOSYS. */
SEC("lsm/task_prctl")
int BPF_PROG(task_prctl, int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	     unsigned long arg5, int ret)
{
	if (ret != 0)
		return ret;
	if (option != WD_PR_SET_MM)
		return 0;
	if (arg2 != WD_PR_SET_MM_EXE_FILE && arg2 != WD_PR_SET_MM_MAP)
		return 0;
	if (!wd_exempts_exe())
		return 0;
	return wd_refuse_self(WD_HOOK_TASK_PRCTL, WD_OP_UNSET, NULL, NULL);
}

/*
 * Tells the enforcer which identity a path leads to: it writes its thread id, calls statx on an
 * O_PATH descriptor and reads the answer. The first call counts: overlayfs asks its layers with
 * the same thread, on some kernels. Never refuses.
 */
SEC("lsm/inode_getattr")
int BPF_PROG(inode_getattr, struct path *path, int ret)
{
	struct wd_resolve *asked;
	struct super_block *sb;
	struct dentry *dentry;
	struct inode *inode;

	if (ret != 0)
		return ret;
	asked = wd_own_request();
	if (!asked || asked->seen)
		return 0;
	dentry = path->dentry;
	inode = dentry ? dentry->d_inode : NULL;
	sb = inode ? inode->i_sb : NULL;
	if (!sb || wd_identify(inode, &asked->identity) <= 0)
		return 0;
	asked->nlink = inode->i_nlink;
	asked->mode = inode->i_mode;
	asked->magic = sb->s_magic;
	asked->folds = (inode->i_flags & WD_S_CASEFOLD) != 0;
	asked->thread_ns = wd_thread_start();
	if (asked->claim)
		wd_claim();
	asked->seen = 1;
	return 0;
}
