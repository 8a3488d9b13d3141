// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * file.bpf.c - hooks on opened files: open, mmap, mprotect, ioctl, exec.
 *
 * O_PATH opens do not come here; reopening them through /proc/self/fd does. The object is f_inode:
 * below overlayfs on 6.1 the second open of one user operation has the real inode there and the
 * overlay's dentry in f_path.
 */
#include "enforce.h"

/* Numbers that BTF does not carry; the 32-bit forms arrive by compat system calls. */
#define WD_FS_IOC_SETFLAGS 0x40086602
#define WD_FS_IOC32_SETFLAGS 0x40046602
#define WD_FS_IOC_FSSETXATTR 0x401c5820
#define WD_FS_IOC_ENABLE_VERITY 0x40806685
#define WD_EXT4_IOC_SWAP_BOOT 0x6611
#define WD_FS_IOC_SETVERSION 0x40087602
#define WD_FS_IOC32_SETVERSION 0x40047602
#define WD_EXT4_IOC_SETVERSION 0x40086604
#define WD_EXT4_IOC32_SETVERSION 0x40046604

static __always_inline int wd_judge_file(__u32 hook, __u32 op, __u32 and_op, __u32 echo,
					 struct file *file)
{
	struct wd_request request = {
		.hook = hook,
		.op = op,
		.and_op = and_op,
		.scan = hook == WD_HOOK_FILE_OPEN && op == WD_OP_READ && !and_op,
		.echo = echo,
	};

	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	if (!request.from)
		return 0;
	return wd_enforce(&request);
}

/*
 * Up to 6.6 overlayfs opens the real file with the overlay's path, so the directories that the real
 * file is in have to be found from its inode. Later kernels give the real path.
 */
static __always_inline int wd_judge_beneath(__u32 op, __u32 and_op, __u32 echo, struct file *file)
{
	struct wd_request request = {
		.hook = WD_HOOK_FILE_OPEN,
		.op = op,
		.and_op = and_op,
		.beneath = 1,
		.scan = op == WD_OP_READ && !and_op,
		.echo = echo,
	};

	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	if (!request.from || request.from->d_inode == request.inode)
		return 0;
	return wd_enforce(&request);
}

static __noinline int wd_judge_open(struct file *file)
{
	__u32 op = WD_OP_UNSET, and_op = WD_OP_UNSET;
	unsigned int mode;
	int echo, ret;

	mode = file->f_mode;
	if (file->f_flags & WD_FMODE_EXEC) {
		op = WD_OP_EXECUTE; /* executing needs no READ */
	} else {
		if (mode & WD_FMODE_READ)
			op = WD_OP_READ;
		if (mode & WD_FMODE_WRITE)
			and_op = WD_OP_WRITE;
	}
	if (!op && !and_op)
		return 0;
	echo = wd_is_echo(file);
	ret = wd_judge_file(WD_HOOK_FILE_OPEN, op, and_op, echo, file);
	if (ret != 0)
		return ret;
	return wd_judge_beneath(op, and_op, echo, file);
}

/* Before a request is put together: whatever the open is for, most are about nothing protected. */
static __always_inline int wd_opens_nothing(struct file *file)
{
	const struct wd_generation *generation;
	struct dentry *dentry = file->f_path.dentry;
	struct inode *inode = file->f_inode;
	__u32 names = 0;

	if (WD_COMPARING || !dentry || dentry->d_inode != inode)
		return 0;
	generation = wd_committed();
	return !generation || wd_is_quiet(generation, dentry, inode, &names);
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	if (ret != 0)
		return ret;
	return wd_opens_nothing(file) ? 0 : wd_judge_open(file);
}

static __always_inline int wd_judge_mmap(struct file *file, unsigned long prot, unsigned long flags)
{
	/* The kernel maps what it executes; its open was judged, and reported, as EXECUTE. */
	struct wd_request request = {
		.hook = WD_HOOK_MMAP_FILE,
		.echo = file->f_flags & WD_FMODE_EXEC,
	};

	if ((prot & WD_PROT_READ) && !request.echo)
		request.op = WD_OP_READ;
	if ((prot & WD_PROT_WRITE) && (flags & WD_MAP_SHARED))
		request.and_op = WD_OP_WRITE;
	if (prot & WD_PROT_EXEC)
		request.exec_op = WD_OP_EXECUTE;
	if (!request.op && !request.and_op && !request.exec_op)
		return 0;
	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	if (!request.from)
		return 0;
	return wd_enforce(&request);
}

SEC("lsm/mmap_file")
int BPF_PROG(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	__u64 address = 0;

	if (ret != 0)
		return ret;
	/* Anonymous memory has no file. Verifiers from 6.4 to 7.2 take the argument for never NULL
	 * and drop a plain check, 7.3 demands one: ask the value itself as well. */
	bpf_probe_read_kernel(&address, sizeof(address), ctx);
	if (!address || !file)
		return 0;
	return wd_judge_mmap(file, prot, flags);
}

SEC("lsm/file_mprotect")
int BPF_PROG(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot,
	     int ret)
{
	struct file *file;

	if (ret != 0)
		return ret;
	if (!(prot & WD_PROT_EXEC) || (vma->vm_flags & WD_VM_EXEC))
		return 0;
	file = vma->vm_file;
	if (!file)
		return 0;
	return wd_judge_file(WD_HOOK_FILE_MPROTECT, WD_OP_EXECUTE, WD_OP_UNSET, 0, file);
}

static __always_inline int wd_judge_ioctl(__u32 hook, struct file *file, unsigned int cmd)
{
	switch (cmd) {
	case WD_FS_IOC_SETFLAGS:
	case WD_FS_IOC32_SETFLAGS:
	case WD_FS_IOC_FSSETXATTR:
	case WD_FS_IOC_ENABLE_VERITY:
		return wd_judge_file(hook, WD_OP_SETATTR, WD_OP_UNSET, 0, file);
	case WD_EXT4_IOC_SWAP_BOOT:
		/* Exchanges the data with inode 5, on a descriptor open for reading. */
		return wd_judge_file(hook, WD_OP_WRITE, WD_OP_UNSET, 0, file);
	case WD_FS_IOC_SETVERSION:
	case WD_FS_IOC32_SETVERSION:
	case WD_EXT4_IOC_SETVERSION:
	case WD_EXT4_IOC32_SETVERSION:
		/* Sets i_generation: a file could lose its identity, or take that of an exempt
		 * program whose inode number it got. */
		return wd_refuse_self(hook, WD_OP_SETATTR, file->f_path.dentry, file->f_inode);
	}
	return 0;
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_ioctl(WD_HOOK_FILE_IOCTL, file, cmd);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg, int ret)
{
	if (ret != 0)
		return ret;
	return wd_judge_ioctl(WD_HOOK_FILE_IOCTL_COMPAT, file, cmd);
}

/* The open before it was judged as EXECUTE; this catches a generation committed in between. */
SEC("lsm/bprm_check_security")
int BPF_PROG(bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct file *file;

	if (ret != 0)
		return ret;
	file = bprm->file;
	if (!file)
		return 0;
	return wd_judge_file(WD_HOOK_BPRM_CHECK, WD_OP_EXECUTE, WD_OP_UNSET, 1, file);
}
