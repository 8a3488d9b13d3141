// SPDX-License-Identifier: Apache-2.0
/* Ways to change a file or its names. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "op.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

static int truncate_call(char **arg)
{
	return outcome(truncate(arg[0], 0));
}

static int unlink_call(char **arg)
{
	return outcome(unlink(arg[0]));
}

static int rmdir_call(char **arg)
{
	return outcome(rmdir(arg[0]));
}

static int mkdir_call(char **arg)
{
	return outcome(mkdir(arg[0], 0700));
}

static int mkfifo_call(char **arg)
{
	return outcome(mknod(arg[0], S_IFIFO | 0600, 0));
}

static int mknod_call(char **arg)
{
	return outcome(mknod(arg[0], S_IFREG | 0600, 0));
}

static int symlink_call(char **arg)
{
	return outcome(symlink(arg[0], arg[1]));
}

static int link_call(char **arg)
{
	return outcome(link(arg[0], arg[1]));
}

static int rename_call(char **arg)
{
	return outcome(rename(arg[0], arg[1]));
}

static int chmod_call(char **arg)
{
	return outcome(chmod(arg[0], 0640));
}

static int chown_call(char **arg)
{
	return outcome(chown(arg[0], 0, 0));
}

static int utimes_call(char **arg)
{
	return outcome(utimensat(AT_FDCWD, arg[0], NULL, 0));
}


static int exchange_call(char **arg)
{
	return outcome(
		syscall(SYS_renameat2, AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_EXCHANGE));
}

/* arg: directory for the unnamed file, name to give it */
static int tmpfile_link(char **arg)
{
	char proc[64];
	int fd = open(arg[0], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return outcome(linkat(AT_FDCWD, proc, AT_FDCWD, arg[1], AT_SYMLINK_FOLLOW));
}

static int setxattr_call(char **arg)
{
	return outcome(setxattr(arg[0], "user.warder-test", "1", 1, 0));
}

static int removexattr_call(char **arg)
{
	return outcome(removexattr(arg[0], "user.warder-test"));
}

/* A POSIX ACL of owner, group, mask and others, in the kernel's xattr form (version 2). */
static int setacl_call(char **arg)
{
	struct __attribute__((packed)) {
		unsigned int version;
		struct __attribute__((packed)) {
			unsigned short tag, perm;
			unsigned int id;
		} entry[3];
	} acl = { 2, { { 0x01, 6, -1U }, { 0x04, 4, -1U }, { 0x20, 4, -1U } } };

	return outcome(setxattr(arg[0], "system.posix_acl_access", &acl, sizeof(acl), 0));
}

/* Needs a descriptor for reading, so only rules that leave `read` alone reach the ioctl. */
static int setflags_call(char **arg)
{
	int flags = 0, fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return errno;
	flags ^= FS_NODUMP_FL;
	return outcome(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

const struct attempt changing_attempts[] = {
	{ "truncate", 1, truncate_call },
	{ "unlink", 1, unlink_call },
	{ "rmdir", 1, rmdir_call },
	{ "mkdir", 1, mkdir_call },
	{ "mkfifo", 1, mkfifo_call },
	{ "mknod", 1, mknod_call },
	{ "symlink", 2, symlink_call },
	{ "link", 2, link_call },
	{ "rename", 2, rename_call },
	{ "exchange", 2, exchange_call },
	{ "tmpfile-link", 2, tmpfile_link },
	{ "chmod", 1, chmod_call },
	{ "chown", 1, chown_call },
	{ "utimes", 1, utimes_call },
	{ "setxattr", 1, setxattr_call },
	{ "removexattr", 1, removexattr_call },
	{ "setacl", 1, setacl_call },
	{ "setflags", 1, setflags_call },
	{ NULL, 0, NULL },
};
