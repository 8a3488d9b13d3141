// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * name.bpf.c - hooks on names: create, delete, link, rename.
 *
 * They are given the dentry before the change, so that the judged name is the one that the kernel
 * is about to act on. O_TMPFILE makes no name and is not judged here; the linkat that names it is.
 */
#include "enforce.h"

static __always_inline int wd_judge_name(__u32 hook, __u32 op, struct dentry *dentry)
{
	struct wd_request request = { .from = dentry, .hook = hook, .op = op };

	request.inode = dentry->d_inode; /* NULL where the name is about to be created */
	return wd_enforce(&request);
}

SEC("lsm/inode_create")
int BPF_PROG(inode_create, struct inode *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_CREATE, WD_OP_CREATE, dentry);
}

SEC("lsm/inode_symlink")
int BPF_PROG(inode_symlink, struct inode *dir, struct dentry *dentry, const char *target, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_SYMLINK, WD_OP_CREATE, dentry);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(inode_mkdir, struct inode *dir, struct dentry *dentry, unsigned short mode, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_MKDIR, WD_OP_CREATE, dentry);
}

SEC("lsm/inode_mknod")
int BPF_PROG(inode_mknod, struct inode *dir, struct dentry *dentry, unsigned short mode,
	     unsigned int dev, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_MKNOD, WD_OP_CREATE, dentry);
}

SEC("lsm/inode_unlink")
int BPF_PROG(inode_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_UNLINK, WD_OP_DELETE, dentry);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(inode_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_name(WD_HOOK_INODE_RMDIR, WD_OP_DELETE, dentry);
}

SEC("lsm/inode_link")
int BPF_PROG(inode_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry,
	     int ret)
{
	struct wd_request request = {
		.from = old_dentry,
		.to = new_dentry,
		.hook = WD_HOOK_INODE_LINK,
		.op = WD_OP_LINK,
	};

	if (ret != 0)
		return ret;
	request.inode = old_dentry->d_inode;
	return wd_enforce(&request);
}

/* RENAME_EXCHANGE comes here twice with the sides swapped: two renames that replace each other. */
SEC("lsm/inode_rename")
int BPF_PROG(inode_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry, int ret)
{
	struct wd_request request = {
		.from = old_dentry,
		.to = new_dentry,
		.hook = WD_HOOK_INODE_RENAME,
		.op = WD_OP_RENAME,
	};

	if (ret != 0)
		return ret;
	request.inode = old_dentry->d_inode;
	wd_note_victim(&request);
	return wd_enforce(&request);
}
