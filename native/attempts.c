// SPDX-License-Identifier: Apache-2.0
/*
 * attempts.c - one function per system call that a canary tries, at least one per hook family.
 *
 * All run in the child of canary.c: only async-signal-safe calls. What a call creates stays; the
 * caller owns the directory and cleans it up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <linux/fs.h>

#include "canary.h"

/* Neither FIFOs nor terminals may hold the child up. */
#define OPEN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define MAPPED_BYTES 4096
#define XATTR "user.warder"

/* close() must not cover the errno that is to be told. */
static int close_after(int fd, int result)
{
	int err = errno;

	close(fd);
	errno = err;
	return result;
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | OPEN_FLAGS, 0600);

	return fd < 0 ? -1 : close_after(fd, 0);
}

static int open_read(const struct wd_try *request)
{
	return try_open(request->path, O_RDONLY);
}

static int open_write(const struct wd_try *request)
{
	return try_open(request->path, O_WRONLY);
}

static int create(const struct wd_try *request)
{
	return try_open(request->path, O_WRONLY | O_CREAT | O_EXCL);
}

static int make_dir(const struct wd_try *request)
{
	return mkdir(request->path, 0700);
}

static int make_fifo(const struct wd_try *request)
{
	return mknod(request->path, S_IFIFO | 0600, 0);
}

static int make_symlink(const struct wd_try *request)
{
	return symlink(request->path2, request->path);
}

static int remove_file(const struct wd_try *request)
{
	return unlink(request->path);
}

static int remove_dir(const struct wd_try *request)
{
	return rmdir(request->path);
}

static int move(const struct wd_try *request)
{
	return rename(request->path, request->path2);
}

static int exchange(const struct wd_try *request)
{
	return renameat2(AT_FDCWD, request->path, AT_FDCWD, request->path2, RENAME_EXCHANGE);
}

static int hard_link(const struct wd_try *request)
{
	return link(request->path, request->path2);
}

static int change_mode(const struct wd_try *request)
{
	return chmod(request->path, 0600);
}

static int cut(const struct wd_try *request)
{
	return truncate(request->path, 0);
}

static int set_xattr(const struct wd_try *request)
{
	return setxattr(request->path, XATTR, "1", 1, 0);
}

static int remove_xattr(const struct wd_try *request)
{
	return removexattr(request->path, XATTR);
}

static int set_flags(const struct wd_try *request)
{
	int fd = open(request->path, O_RDONLY | OPEN_FLAGS);
	int flags = 0;

	if (fd < 0)
		return -1;
	/* The flags that it has already: harmless where it is allowed. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
		return close_after(fd, -1);
	return close_after(fd, ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int map(const struct wd_try *request, int first, int then)
{
	int fd = open(request->path, O_RDONLY | OPEN_FLAGS);
	void *address;
	int result = 0;

	if (fd < 0)
		return -1;
	address = mmap(NULL, MAPPED_BYTES, first, MAP_PRIVATE, fd, 0);
	if (address == MAP_FAILED)
		return close_after(fd, -1);
	if (then != first)
		result = mprotect(address, MAPPED_BYTES, then);
	return close_after(fd, result);
}

static int map_read(const struct wd_try *request)
{
	return map(request, PROT_READ, PROT_READ);
}

static int map_exec(const struct wd_try *request)
{
	return map(request, PROT_READ | PROT_EXEC, PROT_READ | PROT_EXEC);
}

static int protect_exec(const struct wd_try *request)
{
	return map(request, PROT_READ, PROT_READ | PROT_EXEC);
}

static int borrow_exe(const struct wd_try *request)
{
	int fd = open(request->path, O_RDONLY | OPEN_FLAGS);

	if (fd < 0)
		return -1;
	return close_after(fd, prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0));
}

static _Noreturn void run_program(const char *path, int out)
{
	char *const arguments[] = { (char *)path, NULL }, *const environment[] = { NULL };
	int null = open("/dev/null", O_RDWR), err;

	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	execve(path, arguments, environment);
	err = errno;
	if (write(out, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

/* A grandchild executes; the pipe closes on success and brings the errno otherwise. The program
 * is ended at once: whether it started is all that is asked. */
static int execute(const struct wd_try *request)
{
	int pipes[2], err = 0;
	pid_t child;
	ssize_t length;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	child = _Fork();
	if (child == 0)
		run_program(request->path, pipes[1]);
	close(pipes[1]);
	if (child < 0)
		return close_after(pipes[0], -1);
	length = read(pipes[0], &err, sizeof(err));
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	close(pipes[0]);
	errno = length == sizeof(err) ? err : EPROTO;
	return length == 0 ? 0 : -1;
}

const struct wd_canary wd_canaries[] = {
	{ "open-read", false, open_read },
	{ "open-write", false, open_write },
	{ "create", false, create },
	{ "mkdir", false, make_dir },
	{ "mknod", false, make_fifo },
	{ "symlink", true, make_symlink },
	{ "unlink", false, remove_file },
	{ "rmdir", false, remove_dir },
	{ "rename", true, move },
	{ "exchange", true, exchange },
	{ "link", true, hard_link },
	{ "chmod", false, change_mode },
	{ "truncate", false, cut },
	{ "setxattr", false, set_xattr },
	{ "removexattr", false, remove_xattr },
	{ "set-flags", false, set_flags },
	{ "mmap-read", false, map_read },
	{ "mmap-exec", false, map_exec },
	{ "mprotect-exec", false, protect_exec },
	{ "exec", false, execute },
	{ "set-exe", false, borrow_exe },
	{ NULL, false, NULL },
};
