// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * attr.bpf.c - hooks on attributes: size, mode, owner, times, extended attributes, ACLs, flags.
 *
 * Truncation has no hook of its own here: truncate, ftruncate and O_TRUNC all reach inode_setattr
 * with ATTR_SIZE on every kernel, descriptors older than the rule included, so path_truncate and
 * file_truncate would only judge the same act twice.
 */
#include "enforce.h"

/* Set by user space for itself; ATTR_KILL_* is what the kernel does beside a write or a chown. */
#define WD_ATTR_SETS                                                                               \
	(WD_ATTR_MODE | WD_ATTR_UID | WD_ATTR_GID | WD_ATTR_ATIME_SET | WD_ATTR_MTIME_SET |        \
	 WD_ATTR_TIMES_SET | WD_ATTR_TOUCH)

static __always_inline int wd_judge_dentry(__u32 hook, __u32 op, __u32 and_op,
					   struct dentry *dentry)
{
	struct wd_request request = {
		.from = dentry,
		.hook = hook,
		.op = op,
		.and_op = and_op,
	};

	request.inode = dentry->d_inode;
	return wd_enforce(&request);
}

static __always_inline int wd_judge_setattr(struct dentry *dentry, struct iattr *attr)
{
	unsigned int valid = attr->ia_valid;
	__u64 sized = wd_nonzero(valid & WD_ATTR_SIZE);
	/* Not the times that truncation moves. */
	__u64 times = (sized - 1) & (WD_ATTR_ATIME | WD_ATTR_MTIME);
	/* A write that drops suid changes the mode by force; it is not a chmod. */
	__u64 sets =
		wd_nonzero(valid & (WD_ATTR_SETS | times)) & ~wd_nonzero(valid & WD_ATTR_FORCE);
	__u32 write = sized * WD_OP_WRITE, setattr = sets * WD_OP_SETATTR;

	if (!(write | setattr))
		return 0;
	return wd_judge_dentry(WD_HOOK_INODE_SETATTR, write, setattr, dentry);
}

/* Two prototypes of one hook. Which one the kernel has is read from BTF by the loader. */
SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr, struct dentry *dentry, struct iattr *attr, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_setattr(dentry, attr);
}

SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr_idmap, void *idmap, struct dentry *dentry, struct iattr *attr, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_setattr(dentry, attr);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry, const char *name,
	     const void *value, unsigned long size, int flags, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_dentry(WD_HOOK_INODE_SETXATTR, WD_OP_SETATTR, WD_OP_UNSET, dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_dentry(WD_HOOK_INODE_REMOVEXATTR, WD_OP_SETATTR, WD_OP_UNSET, dentry);
}

SEC("lsm/inode_set_acl")
int BPF_PROG(inode_set_acl, void *idmap, struct dentry *dentry, const char *name, void *acl,
	     int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_dentry(WD_HOOK_INODE_SET_ACL, WD_OP_SETATTR, WD_OP_UNSET, dentry);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(inode_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_dentry(WD_HOOK_INODE_REMOVE_ACL, WD_OP_SETATTR, WD_OP_UNSET, dentry);
}

SEC("lsm/inode_file_setattr")
int BPF_PROG(inode_file_setattr, struct dentry *dentry, void *attr, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_dentry(WD_HOOK_INODE_FILE_SETATTR, WD_OP_SETATTR, WD_OP_UNSET, dentry);
}

/* The kernel opens the file by itself, and keeps its quotas there. */
SEC("lsm/quota_on")
int BPF_PROG(quota_on, struct dentry *dentry, int ret)
{
	const struct wd_generation *generation = wd_committed();
	struct wd_request request = {
		.from = dentry,
		.hook = WD_HOOK_QUOTA_ON,
		.op = WD_OP_READ,
		.and_op = WD_OP_WRITE,
	};

	if (ret != 0)
		return ret;
	if (!generation)
		return 0;
	/* So rare that asking whether it is quiet would not pay for being verified. */
	request.inode = dentry->d_inode;
	return wd_walk_and_judge(generation, &request);
}
