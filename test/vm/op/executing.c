// SPDX-License-Identifier: Apache-2.0
/* Ways to execute: the caller's image is replaced on success, so a child tries and tells its errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
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
	{ "execveat", 1, execveat_call },
	{ "map-exec", 1, map_exec },
	{ "protect-exec", 1, protect_exec },
	{ NULL, 0, NULL },
};
