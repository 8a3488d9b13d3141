// SPDX-License-Identifier: Apache-2.0
/* What only some file systems and kinds of mounts have: subvolumes, reflinks, idmaps, disks, folding. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

#define CASEFOLD_FL 0x40000000
#define REUSE_TRIES 2000

/* Opens the disk of the path's file system for reading, through a node of its own. */
int device_of(const char *path, dev_t *ret_dev)
{
	const char *node = "/run/op-disk";
	struct stat st;
	int fd;

	if (stat(path, &st) < 0)
		return -errno;
	*ret_dev = st.st_dev;
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, st.st_dev) < 0)
		return -errno;
	fd = open(node, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* arg: parent directory, name */
static int subvolume_make(char **arg)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	int fd = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	strncpy(args.name, arg[1], BTRFS_PATH_NAME_MAX);
	return fd < 0 ? errno : outcome(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args));
}

/* arg: subvolume, parent directory, name */
static int snapshot_make(char **arg)
{
	struct btrfs_ioctl_vol_args args = { 0 };
	int source = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(arg[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	args.fd = source;
	strncpy(args.name, arg[2], BTRFS_PATH_NAME_MAX);
	return source < 0 || fd < 0 ? errno : outcome(ioctl(fd, BTRFS_IOC_SNAP_CREATE, &args));
}

/* arg: two paths; OK when stat() cannot tell their inodes apart by number */
static int same_number(char **arg)
{
	struct stat one, other;

	if (stat(arg[0], &one) < 0 || stat(arg[1], &other) < 0)
		return errno;
	return one.st_ino == other.st_ino ? 0 : ESTALE;
}

/* arg: source, new file */
static int reflink(char **arg)
{
	int from = open(arg[0], O_RDONLY | O_CLOEXEC);
	int to = open(arg[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return from < 0 || to < 0 ? errno : outcome(ioctl(to, FICLONE, from));
}

/*
 * arg: path, another file on the same file system, program that goes on, `clone` or `dedupe`. Whoever
 * runs this opens the file; the other program has no more than the descriptor.
 */
static int share_opened(char **arg)
{
	char number[16];
	int fd = open(arg[0], O_RDONLY);

	if (fd < 0)
		return errno;
	snprintf(number, sizeof(number), "%d", fd);
	execl(arg[2], "op", "share-descriptor", number, arg[1], arg[3], NULL);
	return errno;
}

/* arg: descriptor, path of a file with the same content, `clone` or `dedupe` */
static int share_descriptor(char **arg)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = { .range = { .dest_count = 1 } };
	int from = atoi(arg[0]), to = open(arg[1], O_RDWR | O_CLOEXEC);
	struct stat st;

	if (to < 0 || fstat(to, &st) < 0)
		return errno;
	if (strcmp(arg[2], "clone") == 0)
		return outcome(ioctl(to, FICLONE, from));
	same.range.src_length = (__u64)st.st_size;
	same.info.dest_fd = to;
	if (ioctl(from, FIDEDUPERANGE, &same) < 0)
		return errno;
	return same.info.status < 0 ? -same.info.status : 0;
}

/* arg: path of a file that becomes the quota file of its file system */
static int quotaon(char **arg)
{
	static const char node[] = "/run/op-quota";
	struct stat st;

	if (stat(arg[0], &st) < 0)
		return errno;
	unlink(node);
	if (mknod(node, S_IFBLK | 0600, st.st_dev) < 0)
		return errno;
	return outcome(quotactl(QCMD(Q_QUOTAON, USRQUOTA), node, QFMT_VFS_V1, arg[0]));
}

/* arg: path, path of an innocent file that gets its inode number, made until it does */
static int reuse_number(char **arg)
{
	char other[4096];
	struct stat old, made;
	int error = ESTALE;

	if (stat(arg[0], &old) < 0 || unlink(arg[0]) < 0)
		return errno;
	for (int i = 0; error == ESTALE && i < REUSE_TRIES; i++) {
		int fd = open(arg[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 || fstat(fd, &made) < 0)
			return errno;
		close(fd);
		if (made.st_ino == old.st_ino)
			error = 0;
		snprintf(other, sizeof(other), "%s.%d", arg[1], i);
		if (error && rename(arg[1], other) < 0)
			return errno;
	}
	return error;
}

/* arg: empty directory; names in it are compared folded from now on */
static int fold_names(char **arg)
{
	int flags = 0, fd = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return errno;
	flags |= CASEFOLD_FL;
	return outcome(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd, error;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = outcome(write(fd, text, strlen(text)));
	close(fd);
	return error;
}

/* A user namespace in which root is uid 0 shifted by 10000. */
static int shifted_namespace(int *ret_fd)
{
	char path[64];
	int error, ready[2];
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		char byte = (char)(unshare(CLONE_NEWUSER) < 0);

		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	if (child < 0 || read(ready[0], path, 1) != 1 || path[0] != 0)
		return EPERM;
	error = write_file(child, "uid_map", "0 10000 65536");
	if (!error)
		error = write_file(child, "gid_map", "0 10000 65536");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!error && *ret_fd < 0)
		error = errno;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return error;
}

/* arg: directory, mount point, path to open below it */
static int idmapped_open(char **arg)
{
	struct {
		unsigned long long set, clear, propagation, user_namespace;
	} attributes = { .set = 0x100000 /* MOUNT_ATTR_IDMAP */ };
	int tree, namespace = -1, error = shifted_namespace(&namespace);

	if (error)
		return error;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return errno;
	tree = (int)syscall(428 /* open_tree */, AT_FDCWD, arg[0], 1 | O_CLOEXEC);
	attributes.user_namespace = (unsigned long long)namespace;
	if (tree < 0 || syscall(442 /* mount_setattr */, tree, "", AT_EMPTY_PATH, &attributes,
				sizeof(attributes)) < 0)
		return errno;
	if (syscall(429 /* move_mount */, tree, "", AT_FDCWD, arg[1], 4) < 0)
		return errno;
	return open_outcome(arg[2], O_RDONLY);
}

const struct attempt place_attempts[] = {
	{ "subvolume-make", 2, subvolume_make },
	{ "snapshot-make", 3, snapshot_make },
	{ "same-number", 2, same_number },
	{ "reflink", 2, reflink },
	{ "share-opened", 4, share_opened },
	{ "share-descriptor", 3, share_descriptor },
	{ "quotaon", 1, quotaon },
	{ "reuse-number", 2, reuse_number },
	{ "fold-names", 1, fold_names },
	{ "idmapped-open", 3, idmapped_open },
	{ NULL, 0, NULL },
};
