/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * programs.h - every program of warder.bpf.o, one row each, for the loader and the tests.
 *
 * WD_PROGRAM(program, hook, id, nargs, needs)
 *   program  name of the program in the object
 *   hook     LSM hook; the attach target in kernel BTF is bpf_lsm_<hook>
 *   id       enum wd_hook; several rows may share one id
 *   nargs    arguments of bpf_lsm_<hook> that this row is written for. Where a hook has several
 *            rows, the one whose nargs equals the BTF prototype is loaded. A row is never chosen
 *            by version: the wrong variant of inode_setattr loads, attaches and never matches.
 *   needs    operations (WD_NEED) that cannot be enforced without this hook
 *
 * A hook that BTF lacks, or has with another number of arguments, refuses a policy that needs it,
 * unless the row says WD_NEED_IF_PRESENT: on kernels without that hook the same operation passes
 * through another row.
 */
#ifndef WD_PROGRAMS_H
#define WD_PROGRAMS_H

#include "abi.h"

#define WD_NEED(op) (1u << (op))
#define WD_NEED_IF_PRESENT (1u << 31)
/* Attached before a generation that lists the operation is committed, detached after the last. */
#define WD_NEED_ON_DEMAND (1u << 30)
/* Attached only while identities are asked for: it judges nothing, and everybody passes its hook. */
#define WD_NEED_WHILE_ASKED (1u << 29)
/* Any operation at all: REFER (a tree must not be left), the resolver and subject protection. */
#define WD_NEED_ALL 0x7feu
/* Self-protection: no policy depends on it; status says when it is incomplete. */
#define WD_NEED_NOTHING 0u

/* clang-format off */
#define WD_PROGRAMS(WD_PROGRAM) \
	WD_PROGRAM(file_open, "file_open", WD_HOOK_FILE_OPEN, 1, \
		WD_NEED(WD_OP_READ) | WD_NEED(WD_OP_WRITE) | WD_NEED(WD_OP_EXECUTE)) \
	WD_PROGRAM(mmap_file, "mmap_file", WD_HOOK_MMAP_FILE, 4, \
		WD_NEED(WD_OP_READ) | WD_NEED(WD_OP_WRITE) | WD_NEED(WD_OP_EXECUTE)) \
	WD_PROGRAM(file_mprotect, "file_mprotect", WD_HOOK_FILE_MPROTECT, 3, \
		WD_NEED(WD_OP_EXECUTE)) \
	WD_PROGRAM(file_ioctl, "file_ioctl", WD_HOOK_FILE_IOCTL, 3, WD_NEED_ALL) \
	WD_PROGRAM(file_ioctl_compat, "file_ioctl_compat", WD_HOOK_FILE_IOCTL_COMPAT, 3, \
		WD_NEED_ALL | WD_NEED_IF_PRESENT) \
	WD_PROGRAM(bprm_check_security, "bprm_check_security", WD_HOOK_BPRM_CHECK, 1, \
		WD_NEED(WD_OP_EXECUTE)) \
	WD_PROGRAM(inode_create, "inode_create", WD_HOOK_INODE_CREATE, 3, WD_NEED(WD_OP_CREATE)) \
	WD_PROGRAM(inode_link, "inode_link", WD_HOOK_INODE_LINK, 3, WD_NEED_ALL) \
	WD_PROGRAM(inode_unlink, "inode_unlink", WD_HOOK_INODE_UNLINK, 2, WD_NEED(WD_OP_DELETE)) \
	WD_PROGRAM(inode_symlink, "inode_symlink", WD_HOOK_INODE_SYMLINK, 3, \
		WD_NEED(WD_OP_CREATE)) \
	WD_PROGRAM(inode_mkdir, "inode_mkdir", WD_HOOK_INODE_MKDIR, 3, WD_NEED(WD_OP_CREATE)) \
	WD_PROGRAM(inode_rmdir, "inode_rmdir", WD_HOOK_INODE_RMDIR, 2, WD_NEED(WD_OP_DELETE)) \
	WD_PROGRAM(inode_mknod, "inode_mknod", WD_HOOK_INODE_MKNOD, 4, WD_NEED(WD_OP_CREATE)) \
	WD_PROGRAM(inode_rename, "inode_rename", WD_HOOK_INODE_RENAME, 4, WD_NEED_ALL) \
	WD_PROGRAM(inode_setattr, "inode_setattr", WD_HOOK_INODE_SETATTR, 2, \
		WD_NEED(WD_OP_WRITE) | WD_NEED(WD_OP_SETATTR)) \
	WD_PROGRAM(inode_setattr_idmap, "inode_setattr", WD_HOOK_INODE_SETATTR, 3, \
		WD_NEED(WD_OP_WRITE) | WD_NEED(WD_OP_SETATTR)) \
	WD_PROGRAM(inode_setxattr, "inode_setxattr", WD_HOOK_INODE_SETXATTR, 6, \
		WD_NEED(WD_OP_SETATTR)) \
	WD_PROGRAM(inode_removexattr, "inode_removexattr", WD_HOOK_INODE_REMOVEXATTR, 3, \
		WD_NEED(WD_OP_SETATTR)) \
	WD_PROGRAM(inode_set_acl, "inode_set_acl", WD_HOOK_INODE_SET_ACL, 4, \
		WD_NEED(WD_OP_SETATTR) | WD_NEED_IF_PRESENT) \
	WD_PROGRAM(inode_remove_acl, "inode_remove_acl", WD_HOOK_INODE_REMOVE_ACL, 3, \
		WD_NEED(WD_OP_SETATTR) | WD_NEED_IF_PRESENT) \
	WD_PROGRAM(inode_file_setattr, "inode_file_setattr", WD_HOOK_INODE_FILE_SETATTR, 2, \
		WD_NEED(WD_OP_SETATTR) | WD_NEED_IF_PRESENT) \
	WD_PROGRAM(sb_mount, "sb_mount", WD_HOOK_SB_MOUNT, 5, WD_NEED(WD_OP_MOUNT)) \
	WD_PROGRAM(move_mount, "move_mount", WD_HOOK_MOVE_MOUNT, 2, WD_NEED(WD_OP_MOUNT)) \
	WD_PROGRAM(sb_pivotroot, "sb_pivotroot", WD_HOOK_SB_PIVOTROOT, 2, WD_NEED(WD_OP_MOUNT)) \
	WD_PROGRAM(file_permission, "file_permission", WD_HOOK_FILE_PERMISSION, 2, \
		WD_NEED(WD_OP_USE) | WD_NEED_ON_DEMAND) \
	WD_PROGRAM(quota_on, "quota_on", WD_HOOK_QUOTA_ON, 1, \
		WD_NEED(WD_OP_READ) | WD_NEED(WD_OP_WRITE) | WD_NEED_IF_PRESENT) \
	WD_PROGRAM(task_prctl, "task_prctl", WD_HOOK_TASK_PRCTL, 5, WD_NEED_ALL) \
	WD_PROGRAM(inode_getattr, "inode_getattr", WD_HOOK_INODE_GETATTR, 1, \
		WD_NEED_ALL | WD_NEED_WHILE_ASKED) \
	WD_PROGRAM(bpf_map, "bpf_map", WD_HOOK_BPF_MAP, 2, WD_NEED_NOTHING) \
	WD_PROGRAM(bpf_prog, "bpf_prog", WD_HOOK_BPF_PROG, 1, WD_NEED_NOTHING) \
	WD_PROGRAM(ptrace_access_check, "ptrace_access_check", WD_HOOK_PTRACE_ACCESS_CHECK, 2, \
		WD_NEED_NOTHING) \
	WD_PROGRAM(task_kill, "task_kill", WD_HOOK_TASK_KILL, 4, WD_NEED_NOTHING) \
	WD_PROGRAM(sb_umount, "sb_umount", WD_HOOK_SB_UMOUNT, 2, WD_NEED_NOTHING) \
	WD_PROGRAM(bprm_committed_creds, "bprm_committed_creds", WD_HOOK_BPRM_COMMITTED_CREDS, 1, \
		WD_NEED_NOTHING)
/* clang-format on */

#endif
