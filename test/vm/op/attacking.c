// SPDX-License-Identifier: Apache-2.0
/* Ways into another process, by its number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

static int trace(char **arg)
{
	return outcome(ptrace(PTRACE_ATTACH, atoi(arg[0]), NULL, NULL));
}

static int seize(char **arg)
{
	return outcome(ptrace(PTRACE_SEIZE, atoi(arg[0]), NULL, NULL));
}

/* Address 4096 is mapped nowhere: a process that may look gets EFAULT. */
static int vm_read(char **arg)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)4096, 1 };

	return outcome(process_vm_readv(atoi(arg[0]), &here, 1, &there, 1, 0));
}

static int vm_write(char **arg)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { (void *)4096, 1 };

	return outcome(process_vm_writev(atoi(arg[0]), &here, 1, &there, 1, 0));
}

static int memory(char **arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/mem", arg[0]);
	return open_outcome(path, O_RDWR);
}

static int take_descriptor(char **arg)
{
	int pid = (int)syscall(SYS_pidfd_open, atoi(arg[0]), 0);

	return pid < 0 ? errno : outcome(syscall(SYS_pidfd_getfd, pid, 0, 0));
}

static int send_signal(char **arg)
{
	return outcome(kill(atoi(arg[0]), atoi(arg[1])));
}

/* Starts a program as its tracer, lets it run to its end, and answers its exit status as it is. */
static int run_traced(char **arg)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(arg[0], arg[0], NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) == child && !WIFEXITED(status) && !WIFSIGNALED(status))
		ptrace(PTRACE_CONT, child, NULL, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

const struct attempt attacking_attempts[] = {
	{ "trace", 1, trace },
	{ "seize", 1, seize },
	{ "read-memory", 1, vm_read },
	{ "write-memory", 1, vm_write },
	{ "memory", 1, memory },
	{ "take-descriptor", 1, take_descriptor },
	{ "signal", 2, send_signal },
	{ "run-traced", 1, run_traced },
	{ NULL, 0, NULL },
};
