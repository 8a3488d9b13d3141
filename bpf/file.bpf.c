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

static __always_inline int wd_judge_file(__u32 hook, __u32 op, __u32 echo, struct file *file)
{
	struct wd_request request = { .hook = hook, .op = op, .echo = echo };

	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	request.loose = wd_path_is_loose();
	if (!request.from)
		return 0;
	return wd_enforce(&request);
}

/*
 * What an open asks for. Worked out without a branch, here and below: for each way through a branch
 * the verifier would follow all that comes after it.
 */
static __always_inline void wd_open_request(struct file *file, struct wd_request *request)
{
	__u64 mode = file->f_mode;
	__u64 executes = wd_nonzero(file->f_flags & WD_FMODE_EXEC);
	__u64 reads = wd_nonzero(mode & WD_FMODE_READ) & ~executes;
	__u64 writes = wd_nonzero(mode & WD_FMODE_WRITE) & ~executes;

	request->op = executes * WD_OP_EXECUTE | reads * WD_OP_READ; /* executing needs no READ */
	request->and_op = writes * WD_OP_WRITE;
	request->scan = reads & ~writes;
	request->from = file->f_path.dentry;
	request->inode = file->f_inode;
}

static __always_inline int wd_judge_open(const struct wd_generation *generation, struct file *file)
{
	struct wd_request request = { .hook = WD_HOOK_FILE_OPEN };

	wd_open_request(file, &request);
	if (!(request.op | request.and_op))
		return 0;
	/* What overlayfs opens beneath, it opens with the credentials of whoever mounted it. */
	request.borrows = !wd_opened_above(file);
	request.echo = wd_is_echo(file);
	return wd_judge_layers(generation, &request);
}

static __always_inline int wd_compare_open(const struct wd_generation *generation,
					   struct file *file, __u32 before, int quiet)
{
	struct wd_request request = { .hook = WD_HOOK_FILE_OPEN };

	if (!WD_COMPARING)
		return 0;
	wd_open_request(file, &request);
	return wd_ask_oracle(generation, &request, before, quiet);
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file, int ret)
{
	const struct wd_generation *generation;
	__u32 before = wd_oracle_begins(), names = 0;
	struct dentry *dentry;
	struct inode *inode;
	int quiet = 0;

	if (ret != 0)
		return ret;
	generation = wd_committed();
	dentry = file->f_path.dentry;
	inode = file->f_inode;
	if (!generation || !dentry)
		return 0;
	/* Before a request is put together: whatever the open is for, most are about nothing
	 * protected. What overlayfs opens beneath has the dentry of another inode. */
	if (dentry->d_inode == inode)
		quiet = wd_is_quiet(generation, dentry, inode, wd_path_is_loose(), &names);
	if (quiet)
		return wd_compare_open(generation, file, before, quiet);
	return wd_judge_open(generation, file);
}

static __always_inline int wd_judge_mmap(struct file *file, unsigned long prot, unsigned long flags)
{
	struct wd_request request = { .hook = WD_HOOK_MMAP_FILE };
	/* The kernel maps what it executes; its open was judged, and reported, as EXECUTE. */
	__u64 executes = wd_nonzero(file->f_flags & WD_FMODE_EXEC);
	__u64 writes = wd_nonzero(prot & WD_PROT_WRITE) & wd_nonzero(flags & WD_MAP_SHARED);

	request.echo = executes;
	request.op = wd_nonzero(prot & WD_PROT_READ) * WD_OP_READ & ~executes;
	request.and_op = writes * WD_OP_WRITE;
	request.exec_op = wd_nonzero(prot & WD_PROT_EXEC) * WD_OP_EXECUTE;
	if (!(request.op | request.and_op | request.exec_op))
		return 0;
	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	request.loose = wd_path_is_loose();
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
	return wd_judge_file(WD_HOOK_FILE_MPROTECT, WD_OP_EXECUTE, 0, file);
}

static __always_inline int wd_judge_ioctl(__u32 hook, struct file *file, unsigned int cmd)
{
	/* Exchanging the data with inode 5, on a descriptor open for reading, is a write. */
	__u64 is_swap = wd_nonzero(cmd ^ WD_EXT4_IOC_SWAP_BOOT) ^ 1;
	__u32 op = WD_OP_SETATTR + is_swap * (WD_OP_WRITE - WD_OP_SETATTR);
	/* From 6.17 on a hook of its own follows where flags are set, and reports it. */
	__u64 told = bpf_core_type_exists(struct file_attr) &
		     wd_nonzero(cmd ^ WD_FS_IOC_ENABLE_VERITY) & ~is_swap;

	switch (cmd) {
	case WD_FS_IOC_SETFLAGS:
	case WD_FS_IOC32_SETFLAGS:
	case WD_FS_IOC_FSSETXATTR:
	case WD_FS_IOC_ENABLE_VERITY:
	case WD_EXT4_IOC_SWAP_BOOT:
		return wd_judge_file(hook, op, told, file);
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
	return wd_judge_file(WD_HOOK_BPRM_CHECK, WD_OP_EXECUTE, 1, file);
}
