// SPDX-License-Identifier: Apache-2.0
/*
 * workloads.c - the operations whose cost is measured. No rule protects what they touch.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"

static int file = -1;

void prepare(const char *dir)
{
	int fd;

	must(chdir(dir) == 0, "cannot enter the directory");
	must(mkdir("one", 0755) == 0 && mkdir("one/two", 0755) == 0, "cannot make directories");
	must(chdir("one/two") == 0, "cannot enter the directory");
	fd = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, "content\n", 8) == 8 && close(fd) == 0, "cannot write");
	file = open("file", O_RDWR | O_CLOEXEC);
	must(file >= 0, "cannot open");
}

static void open_close(void)
{
	int fd = open("file", O_RDONLY | O_CLOEXEC);

	must(fd >= 0, "open failed");
	close(fd);
}

static void stat_file(void)
{
	struct stat found;

	must(stat("file", &found) == 0, "stat failed");
}

static void getppid_once(void)
{
	syscall(SYS_getppid);
}

static void read_open(void)
{
	char bytes[8];

	must(pread(file, bytes, sizeof(bytes), 0) == sizeof(bytes), "read failed");
}

static void write_open(void)
{
	must(pwrite(file, "content\n", 8, 0) == 8, "write failed");
}

static void create_unlink(void)
{
	int fd = open("new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	must(fd >= 0, "create failed");
	close(fd);
	must(unlink("new") == 0, "unlink failed");
}

static void rename_pair(void)
{
	must(rename("file", "other") == 0 && rename("other", "file") == 0, "rename failed");
}

static void fork_exec(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0) {
		execl("/proc/self/exe", "cost", "exit", NULL);
		_exit(1);
	}
	must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "exec failed");
}

const struct workload workloads[] = {
	{ "open+close", 2000, open_close },  { "stat", 2000, stat_file },
	{ "getppid", 5000, getppid_once },   { "read", 2000, read_open },
	{ "write", 1000, write_open },	     { "create+unlink", 500, create_unlink },
	{ "rename pair", 500, rename_pair }, { "fork+exec", 60, fork_exec },
};

const int workload_count = sizeof(workloads) / sizeof(workloads[0]);
