// SPDX-License-Identifier: Apache-2.0
/*
 * storm DIR UID - changes a tree of names and opens what is in it, from many threads without pause,
 * until standard input has a line or ends. It says "ready" when every thread runs, and prints how
 * often each kind of thread went round, so that a storm that calmed down shows.
 *
 * DIR has two halves: in/ is protected, out/ is not. Directories, files and links wander between
 * them, which only a subject that the rules exempt may do: the threads that move things have the
 * uid UID, the threads that open, create and remove have not. Calls fail all the time, because
 * another thread was first; that is the point.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DIRS 4
#define SUBDIRS 2
#define FILES 4
#define OPENS 8 /* of each file, before the thread turns to another directory */
#define PATH_BYTES 128
#define RENAME_EXCHANGE_FLAG 2

struct role {
	const char *name;
	int threads;
	int exempt;
	void (*once)(unsigned int *seed);
};

static uid_t exempt_uid;
static atomic_bool stop;
static atomic_int started;

static unsigned int below(unsigned int *seed, unsigned int limit)
{
	return (unsigned int)rand_r(seed) / 7 % limit;
}

static const char *half(unsigned int *seed)
{
	return below(seed, 2) ? "in" : "out";
}

/* A place that may be there or not: "out/d1", "in/d3/e0", "out/d2/e1/f3". */
static void pick(unsigned int *seed, int depth, char path[PATH_BYTES])
{
	int length = snprintf(path, PATH_BYTES, "%s/d%u", half(seed), below(seed, DIRS));

	if (depth > 0)
		length +=
			snprintf(path + length, PATH_BYTES - length, "/e%u", below(seed, SUBDIRS));
	if (depth > 1)
		snprintf(path + length, PATH_BYTES - length, "/f%u", below(seed, FILES));
}

static void open_something(unsigned int *seed)
{
	char path[PATH_BYTES];
	int dir, fd;

	pick(seed, 2, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	/* From a directory that is held open while it moves. */
	pick(seed, 1, path);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	for (int i = 0; i < FILES * OPENS; i++) {
		snprintf(path, sizeof(path), "f%d", i % FILES);
		fd = openat(dir, path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	close(dir);
}

static void create_and_remove(unsigned int *seed)
{
	char path[PATH_BYTES + 16];
	int fd;

	pick(seed, 1, path);
	snprintf(path + strlen(path), 16, "/new%u", below(seed, 2));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	unlink(path);
	mkdir(path, 0755);
	rmdir(path);
	symlink("nowhere", path);
	unlink(path);
}

static void move_directory(unsigned int *seed)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	int depth = (int)below(seed, 2);

	pick(seed, depth, from);
	pick(seed, depth, to);
	rename(from, to);
}

static void exchange(unsigned int *seed)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	int depth = (int)below(seed, 3);

	pick(seed, depth, from);
	pick(seed, depth, to);
	syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE_FLAG);
}

static void move_file(unsigned int *seed)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	pick(seed, 2, from);
	pick(seed, 2, to);
	rename(from, to);
}

static void link_file(unsigned int *seed)
{
	char from[PATH_BYTES], to[PATH_BYTES];
	int fd;

	pick(seed, 2, from);
	pick(seed, 2, to);
	if (link(from, to) == 0 && below(seed, 2))
		unlink(from);
	fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0666); /* so that files do not run out */
	if (fd >= 0)
		close(fd);
}

static void mount_and_open(unsigned int *seed)
{
	char from[PATH_BYTES], path[PATH_BYTES];
	int fd;

	pick(seed, 0, from);
	if (mount(from, "mnt", NULL, MS_BIND, NULL) != 0)
		return;
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "mnt/e%u/f%d", below(seed, SUBDIRS), i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	umount2("mnt", MNT_DETACH);
}

/* The same directory, made and removed: inodes and what was kept with them come and go. */
static void make_anew(unsigned int *seed)
{
	char dir[PATH_BYTES], path[PATH_BYTES + 8];
	int fd;

	snprintf(dir, sizeof(dir), "%s/d%u/fresh", half(seed), below(seed, DIRS));
	if (mkdir(dir, 0777) != 0)
		return;
	snprintf(path, sizeof(path), "%s/f", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	unlink(path);
	rmdir(dir);
}

static const struct role roles[] = {
	{ "open", 4, 0, open_something },  { "create", 2, 0, create_and_remove },
	{ "move", 1, 1, move_directory },  { "exchange", 1, 1, exchange },
	{ "file", 1, 1, move_file },	   { "link", 1, 1, link_file },
	{ "mount", 1, 0, mount_and_open }, { "anew", 1, 1, make_anew },
};

#define ROLES (sizeof(roles) / sizeof(roles[0]))

static atomic_ulong rounds[ROLES];

static void *run(void *own)
{
	const struct role *role = own;
	unsigned int seed = (unsigned int)gettid();

	/* Not setresuid(): that would change every thread. */
	if (role->exempt && syscall(SYS_setresuid, -1, exempt_uid, -1) != 0)
		return NULL;
	atomic_fetch_add(&started, 1);
	while (!atomic_load(&stop)) {
		role->once(&seed);
		atomic_fetch_add(&rounds[role - roles], 1);
		/* Between moves the tree is at rest for a while, or nothing could be kept. */
		if (role->exempt)
			usleep(below(&seed, 4000));
	}
	return NULL;
}

static void lay_out(void)
{
	char path[PATH_BYTES];

	mkdir("mnt", 0777);
	for (int h = 0; h < 2; h++) {
		for (int i = 0; i < DIRS * SUBDIRS * FILES; i++) {
			const char *top = h ? "in" : "out";
			int fd;

			mkdir(top, 0777);
			chmod(top, 0777);
			snprintf(path, sizeof(path), "%s/d%d", top, i / SUBDIRS / FILES);
			mkdir(path, 0777);
			chmod(path, 0777);
			snprintf(path, sizeof(path), "%s/d%d/e%d", top, i / SUBDIRS / FILES,
				 i / FILES % SUBDIRS);
			mkdir(path, 0777);
			chmod(path, 0777);
			snprintf(path, sizeof(path), "%s/d%d/e%d/f%d", top, i / SUBDIRS / FILES,
				 i / FILES % SUBDIRS, i % FILES);
			fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
			if (fd >= 0)
				close(fd);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[32];
	int count = 0;
	char byte;

	umask(0);
	if (argc != 3 || chdir(argv[1]) != 0) {
		fprintf(stderr, "usage: storm DIR UID\n");
		return 2;
	}
	exempt_uid = (uid_t)atoi(argv[2]);
	lay_out();
	printf("laid out\n");
	fflush(stdout);
	/* Whoever reads this resolves what is to be protected, then lets the storm begin. */
	if (read(STDIN_FILENO, &byte, 1) != 1 || nice(10) < 0)
		return 1;
	for (size_t r = 0; r < ROLES; r++) {
		for (int i = 0; i < roles[r].threads; i++) {
			if (pthread_create(&threads[count++], NULL, run, (void *)&roles[r]) != 0)
				return 1;
		}
	}
	while (atomic_load(&started) < count)
		usleep(1000);
	printf("ready\n");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		return 1;
	atomic_store(&stop, 1);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	for (size_t r = 0; r < ROLES; r++)
		printf("%s=%lu\n", roles[r].name, atomic_load(&rounds[r]));
	return 0;
}
