// SPDX-License-Identifier: Apache-2.0
/*
 * Ways to put something over a name, each in a mount namespace of its own, and ways to ask as somebody:
 * from another control group, or as the child of another program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

#define OPEN_TREE_CLONED 1
#define MOVE_FROM_EMPTY_PATH 4

static int own_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno;
	return outcome(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* arg: what is shown, the name that it is put over */
static int mount_bind(char **arg)
{
	int error = own_namespace();

	return error ? error : outcome(mount(arg[0], arg[1], NULL, MS_BIND, NULL));
}

/* The same with a flag of another kind beside it, which the kernel does not look at then. */
static int mount_bind_private(char **arg)
{
	int error = own_namespace();

	return error ? error : outcome(mount(arg[0], arg[1], NULL, MS_BIND | MS_PRIVATE, NULL));
}

static int mount_tmpfs(char **arg)
{
	int error = own_namespace();

	return error ? error : outcome(mount("none", arg[0], "tmpfs", 0, NULL));
}

/* arg: a mount is made of it first, then moved; where to */
static int mount_move(char **arg)
{
	int error = own_namespace();

	if (error)
		return error;
	if (mount(arg[0], arg[0], NULL, MS_BIND, NULL) < 0)
		return errno;
	return outcome(mount(arg[0], arg[1], NULL, MS_MOVE, NULL));
}

/* The newer calls: open_tree and move_mount. */
static int move_mount_call(char **arg)
{
	int error = own_namespace();
	long tree;

	if (error)
		return error;
	tree = syscall(SYS_open_tree, AT_FDCWD, arg[0], OPEN_TREE_CLONED | O_CLOEXEC);
	if (tree < 0)
		return errno;
	return outcome(
		syscall(SYS_move_mount, tree, "", AT_FDCWD, arg[1], MOVE_FROM_EMPTY_PATH));
}

/* arg: an empty directory for a new root, what the old root is put over */
static int pivot_over(char **arg)
{
	char old[4096];
	int error = own_namespace();

	if (error)
		return error;
	snprintf(old, sizeof(old), "%s/old", arg[0]);
	if (mount("none", arg[0], "tmpfs", 0, NULL) < 0 || mkdir(old, 0700) < 0 ||
	    mount(arg[1], old, NULL, MS_BIND, NULL) < 0)
		return errno;
	return outcome(syscall(SYS_pivot_root, arg[0], old));
}

static int remount(char **arg)
{
	int error = own_namespace();

	if (error)
		return error;
	return outcome(mount(NULL, arg[0], NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL));
}

/* arg: file, cgroup.procs of the group to go to. Opens before, which must work, and after. */
static int migrate_open(char **arg)
{
	int before = open_outcome(arg[0], O_RDONLY);
	int fd = open(arg[1], O_WRONLY | O_CLOEXEC);
	int error = fd < 0 ? errno : outcome(write(fd, "0", 1));

	if (fd >= 0)
		close(fd);
	if (before || error)
		return EPROTO;
	return open_outcome(arg[0], O_RDONLY);
}

/* Answers by its exit status, for spawn_open(). */
static int open_exit(char **arg)
{
	_exit(open_outcome(arg[0], O_RDONLY));
}

/* arg: program of the child, file */
static int spawn_open(char **arg)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execl(arg[0], arg[0], "open-exit", arg[1], NULL);
		_exit(ENOEXEC);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

/* arg: program of the child, attempt, path; the child tells its own outcome, which is the last word here */
static int spawn(char **arg)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		execl(arg[0], arg[0], arg[1], arg[2], NULL);
		_exit(ENOEXEC);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	/* What the child has printed stands; a second report would contradict it. */
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
}

const struct attempt placing_attempts[] = {
	{ "mount-bind", 2, mount_bind },
	{ "mount-bind-private", 2, mount_bind_private },
	{ "mount-tmpfs", 1, mount_tmpfs },
	{ "mount-move", 2, mount_move },
	{ "move-mount", 2, move_mount_call },
	{ "pivot-over", 2, pivot_over },
	{ "remount", 1, remount },
	{ "migrate-open", 2, migrate_open },
	{ "open-exit", 1, open_exit },
	{ "spawn-open", 2, spawn_open },
	{ "spawn", 3, spawn },
	{ NULL, 0, NULL },
};
