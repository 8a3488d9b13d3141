// SPDX-License-Identifier: Apache-2.0
/*
 * workloads.c - the operations whose cost is measured, single calls first, then whole programs over a tree
 * of files. No rule protects what they touch.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"

#define TREE_DIRECTORIES 20
#define TREE_FILES 25 /* in each */
#define TREE_FILE_BYTES 4096

static int file = -1;

static void make_tree(void)
{
	char path[64], content[TREE_FILE_BYTES];

	memset(content, 'x', sizeof(content));
	must(mkdir("tree", 0755) == 0, "cannot make the tree");
	for (int i = 0; i < TREE_DIRECTORIES * TREE_FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "tree/d%d", i / TREE_FILES);
		must(i % TREE_FILES != 0 || mkdir(path, 0755) == 0, "cannot make a directory");
		snprintf(path, sizeof(path), "tree/d%d/f%d", i / TREE_FILES, i % TREE_FILES);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		must(fd >= 0 && write(fd, content, sizeof(content)) == sizeof(content) &&
			     close(fd) == 0,
		     "cannot write the tree");
	}
}

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
	make_tree();
	must(system("git init -q tree && cd tree && git add . && git -c user.name=bench "
		    "-c user.email=bench@example.com commit -q -m tree") == 0,
	     "cannot make a repository of the tree");
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

/* What it prints is made all the same, and goes nowhere. */
static void run_program(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	must(posix_spawnp(&child, argv[0], &actions, NULL, argv, environ) == 0, argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	must(waitpid(child, &status, 0) == child && status == 0, argv[0]);
}

static void run_tar(void)
{
	run_program((char *[]){ "tar", "cf", "-", "tree", NULL });
}

static void run_find(void)
{
	run_program((char *[]){ "find", "tree", "-type", "f", "-size", "+1", NULL });
}

static void run_git_status(void)
{
	run_program((char *[]){ "git", "-C", "tree", "status", "--porcelain", NULL });
}

const struct workload workloads[] = {
	{ "open+close", 2000, open_close },  { "stat", 2000, stat_file },
	{ "getppid", 5000, getppid_once },   { "read", 2000, read_open },
	{ "write", 1000, write_open },	     { "create+unlink", 500, create_unlink },
	{ "rename pair", 500, rename_pair }, { "fork+exec", 60, fork_exec },
	{ "tar", 4, run_tar },		     { "find", 4, run_find },
	{ "git status", 4, run_git_status },
};

const int workload_count = sizeof(workloads) / sizeof(workloads[0]);
