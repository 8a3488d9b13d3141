// SPDX-License-Identifier: Apache-2.0
/* Ways to execute: the caller's image is replaced on success, so a child tries and tells its errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

/* The child writes errno when exec came back; a closed pipe without data is a successful exec. */
static int in_child(int (*body)(char **), char **arg)
{
	int fds[2], error = 0, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		error = body(arg);
		if (write(fds[1], &error, sizeof(error)) != sizeof(error))
			_exit(3);
		_exit(0);
	}
	close(fds[1]);
	if (read(fds[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	waitpid(pid, &status, 0);
	return error;
}

static int silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	return null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ? errno : 0;
}

static int exec_body(char **arg)
{
	char *argv[] = { arg[0], "true", NULL };

	silence();
	execv(arg[0], argv);
	return errno;
}

static int exec_call(char **arg)
{
	return in_child(exec_body, arg);
}


/* arg: program loader, program */
static int loader_body(char **arg)
{
	char *argv[] = { arg[0], arg[1], NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		silence();
		execv(arg[0], argv);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	/* The loader says 127 when it could not map the program. */
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? EACCES : 0;
}

static int exec_at_fd(char **arg)
{
	char *argv[] = { arg[0], NULL };
	int fd = open(arg[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno;
	silence();
	syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return errno;
}

#define EXECVE_CHECK 0x10000 /* AT_EXECVE_CHECK, since 6.14 */

static int check_at_fd(char **arg)
{
	char *argv[] = { arg[0], NULL };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	return outcome(syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH | EXECVE_CHECK));
}

/* arg: interpreter, script that is its argument */
static int argument_body(char **arg)
{
	char *argv[] = { arg[0], arg[1], NULL };

	silence();
	execv(arg[0], argv);
	return errno;
}

static int exec_argument(char **arg)
{
	return in_child(argument_body, arg);
}

/* arg: program; a copy of it in memory that never had a name */
static int memory_body(char **arg)
{
	char *argv[] = { arg[0], NULL };
	int from = open(arg[0], O_RDONLY | O_CLOEXEC);
	int to = (int)syscall(SYS_memfd_create, "copy", 1 /* MFD_CLOEXEC */);
	struct stat st;

	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return errno;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t sent = sendfile(to, from, NULL, (size_t)left);

		if (sent <= 0)
			return errno;
		left -= sent;
	}
	silence();
	syscall(SYS_execveat, to, "", argv, NULL, AT_EMPTY_PATH);
	return errno;
}

static int exec_memory(char **arg)
{
	return in_child(memory_body, arg);
}

static int execveat_call(char **arg)
{
	return in_child(exec_at_fd, arg);
}


static int map_exec(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return errno;
	map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return map == MAP_FAILED ? errno : 0;
}

static int protect_exec(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return errno;
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return errno;
	return outcome(mprotect(map, 4096, PROT_READ | PROT_EXEC));
}

const struct attempt executing_attempts[] = {
	{ "exec", 1, exec_call },
	{ "exec-loader", 2, loader_body },
	{ "exec-argument", 2, exec_argument },
	{ "exec-memory", 1, exec_memory },
	{ "execve-check", 1, check_at_fd },
	{ "execveat", 1, execveat_call },
	{ "map-exec", 1, map_exec },
	{ "protect-exec", 1, protect_exec },
	{ NULL, 0, NULL },
};
