// SPDX-License-Identifier: Apache-2.0
/*
 * What a process of an exempt program has in memory, taken by one that is not exempt. The holder maps and
 * reads the file, prints where, and waits to be ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

#define PAGE_BYTES 4096

struct holder {
	pid_t pid;
	unsigned long copy, map;
};

static char content[PAGE_BYTES];

static int hold_content(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0 || read(fd, content, sizeof(content) - 1) < 0)
		return errno;
	map = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return errno;
	printf("%lx %lx\n", (unsigned long)content, (unsigned long)map);
	fflush(stdout);
	pause();
	return 0;
}

/* arg: exempt program, path */
static int start_holder(char **arg, struct holder *ret_holder)
{
	char line[64] = { 0 };
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return errno;
	ret_holder->pid = fork();
	if (ret_holder->pid == 0) {
		dup2(pipe_fds[1], 1);
		execl(arg[0], "op", "hold-content", arg[1], NULL);
		_exit(126);
	}
	close(pipe_fds[1]);
	if (ret_holder->pid < 0 || read(pipe_fds[0], line, sizeof(line) - 1) <= 0)
		return ECHILD;
	return sscanf(line, "%lx %lx", &ret_holder->copy, &ret_holder->map) == 2 ? 0 : EPROTO;
}

static int with_holder(char **arg, int (*take)(const struct holder *))
{
	struct holder holder;
	int error = start_holder(arg, &holder);

	if (!error)
		error = take(&holder);
	if (holder.pid > 0) {
		kill(holder.pid, SIGKILL);
		waitpid(holder.pid, NULL, 0);
	}
	return error;
}

/* A layout writes files that begin with "s". */
static int is_content(char byte)
{
	return byte == 's' ? 0 : ENODATA;
}

static int take_by_ptrace(const struct holder *holder)
{
	long word;
	int status;

	if (ptrace(PTRACE_SEIZE, holder->pid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, holder->pid, NULL, NULL) < 0 ||
	    waitpid(holder->pid, &status, 0) < 0)
		return errno;
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, holder->pid, (void *)holder->copy, NULL);
	return errno ? errno : is_content((char)word);
}

static int take_by_vm_read(const struct holder *holder)
{
	char byte = 0;
	struct iovec to = { &byte, 1 }, from = { (void *)holder->copy, 1 };

	return process_vm_readv(holder->pid, &to, 1, &from, 1, 0) < 0 ? errno : is_content(byte);
}

static int take_by_mem(const struct holder *holder)
{
	char path[64], byte = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", holder->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, (off_t)holder->copy) < 0)
		return errno;
	return is_content(byte);
}

static int take_by_map_files(const struct holder *holder)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%lx-%lx", holder->pid, holder->map,
		 holder->map + PAGE_BYTES);
	return open_outcome(path, O_RDONLY);
}

static int ptrace_peek(char **arg)
{
	return with_holder(arg, take_by_ptrace);
}

static int vm_read(char **arg)
{
	return with_holder(arg, take_by_vm_read);
}

static int mem_read(char **arg)
{
	return with_holder(arg, take_by_mem);
}

static int map_files_open(char **arg)
{
	return with_holder(arg, take_by_map_files);
}

/* arg: a path on a file system with a disk, text; reads the whole disk without asking for the file */
static int device_search(char **arg)
{
	static char buffer[1 << 20];
	const size_t length = strlen(arg[1]);
	dev_t dev;
	ssize_t got;
	int fd = device_of(arg[0], &dev);

	if (fd < 0)
		return -fd;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		if (memmem(buffer, (size_t)got, arg[1], length))
			return 0;
	return got < 0 ? errno : ENODATA;
}

const struct attempt holding_attempts[] = {
	{ "hold-content", 1, hold_content },
	{ "ptrace-peek", 2, ptrace_peek },
	{ "vm-read", 2, vm_read },
	{ "mem-read", 2, mem_read },
	{ "map-files-open", 2, map_files_open },
	{ "device-search", 2, device_search },
	{ NULL, 0, NULL },
};
