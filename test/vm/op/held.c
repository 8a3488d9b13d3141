// SPDX-License-Identifier: Apache-2.0
/*
 * What a descriptor that is older than a rule still can do: open first, say "ready", wait for a line
 * on standard input (the rule is activated meanwhile), then try.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "op.h"

static int hold(const char *path, int flags)
{
	char line[16];
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return -EPIPE;
	return fd;
}

static int held_read(char **arg)
{
	char byte;
	int fd = hold(arg[0], O_RDONLY);

	return fd < 0 ? -fd : outcome(read(fd, &byte, 1));
}

static int held_write(char **arg)
{
	int fd = hold(arg[0], O_WRONLY | O_APPEND);

	return fd < 0 ? -fd : outcome(write(fd, "x", 1));
}

static int held_sendfile(char **arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int fd = hold(arg[0], O_RDONLY);

	return fd < 0 ? -fd : outcome(sendfile(null, fd, NULL, 1));
}

static int held_truncate(char **arg)
{
	int fd = hold(arg[0], O_RDWR);

	return fd < 0 ? -fd : outcome(ftruncate(fd, 1));
}

static int held_map(char **arg)
{
	int fd = hold(arg[0], O_RDONLY);
	void *map;

	if (fd < 0)
		return -fd;
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? errno : 0;
}

const struct attempt held_attempts[] = {
	{ "held-read", 1, held_read },
	{ "held-write", 1, held_write },
	{ "held-sendfile", 1, held_sendfile },
	{ "held-truncate", 1, held_truncate },
	{ "held-map", 1, held_map },
	{ NULL, 0, NULL },
};
