// SPDX-License-Identifier: Apache-2.0
/*
 * Counts the calls that change the disk and, at the n-th one, either ends the process as a power cut
 * would (WARDER_CUT_MODE=die: the call does not happen) or lets it fail (enospc, eio). Preloaded into a
 * Node process. Only files below WARDER_CUT_FOLDER count, so that Node's own files do not.
 * Deliberately absent: reordering of writes that were not synced; ext4 and a kill -9 do not show it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static long wd_count, wd_at;

static int wd_below(const char *path)
{
	const char *folder = getenv("WARDER_CUT_FOLDER");

	return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int wd_fd_below(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	return wd_below(path);
}

/* Returns 1 when this call must fail; does not return when it must die. */
static int wd_cut(void)
{
	const char *mode = getenv("WARDER_CUT_MODE");
	const char *at = getenv("WARDER_CUT_AT");

	if (!mode || !at)
		return 0;
	/* A process that survives its faults moves on to the next one by changing the number. */
	if (atol(at) != wd_at) {
		wd_at = atol(at);
		wd_count = 0;
	}
	if (__atomic_add_fetch(&wd_count, 1, __ATOMIC_SEQ_CST) != wd_at)
		return 0;
	/* The test asserts that the fault fired. */
	if (write(3, "fired", 5) < 0)
		_exit(99);
	if (strcmp(mode, "die") == 0)
		_exit(77);
	errno = strcmp(mode, "enospc") == 0 ? ENOSPC : EIO;
	return 1;
}

#define WD_REAL(name)                                  \
	static __typeof__(name) *real;                 \
	if (!real)                                     \
		real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

#define WD_FD_CALL(ret, name, params, args)                 \
	ret name params                                     \
	{                                                   \
		WD_REAL(name);                              \
		if (fd != 3 && wd_fd_below(fd) && wd_cut()) \
			return -1;                          \
		return real args;                           \
	}

WD_FD_CALL(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
WD_FD_CALL(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WD_FD_CALL(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
WD_FD_CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
WD_FD_CALL(int, fsync, (int fd), (fd))
WD_FD_CALL(int, fdatasync, (int fd), (fd))
WD_FD_CALL(int, ftruncate, (int fd, off_t size), (fd, size))
WD_FD_CALL(int, ftruncate64, (int fd, off64_t size), (fd, size))

int rename(const char *from, const char *to)
{
	WD_REAL(rename);
	if (wd_below(to) && wd_cut())
		return -1;
	return real(from, to);
}

int unlink(const char *path)
{
	WD_REAL(unlink);
	if (wd_below(path) && wd_cut())
		return -1;
	return real(path);
}
