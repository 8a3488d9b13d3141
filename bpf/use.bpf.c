// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * use.bpf.c - the hook on every read and write, attached only while a generation lists `use`.
 *
 * It sees read, write, getdents, fallocate, splice, sendfile, copy_file_range, cloning and io_uring,
 * whenever the file was opened. Memory that is mapped already is beyond it.
 */
#include "enforce.h"

#define WD_MAY_WRITE 2
#define WD_MAY_READ 4
#define WD_MAY_APPEND 8

SEC("lsm/file_permission")
int BPF_PROG(file_permission, struct file *file, int mask, int ret)
{
	struct wd_request request = { .hook = WD_HOOK_FILE_PERMISSION };

	if (ret != 0)
		return ret;
	request.op = wd_nonzero(mask & WD_MAY_READ) * WD_OP_USE_READ;
	request.and_op = wd_nonzero(mask & (WD_MAY_WRITE | WD_MAY_APPEND)) * WD_OP_USE_WRITE;
	if (!(request.op | request.and_op))
		return 0;
	request.from = file->f_path.dentry;
	request.inode = file->f_inode;
	request.loose = wd_path_is_loose();
	if (!request.from)
		return 0;
	return wd_enforce(&request);
}
