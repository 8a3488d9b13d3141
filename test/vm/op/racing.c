// SPDX-License-Identifier: Apache-2.0
/* Threads, other credentials, other programs: who opens, and when. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "op.h"

#define RACE_OPENS 60
#define RACE_OPENS_MAX 20000 /* until the protected file was met */

struct race {
	char **arg;
	atomic_int stop;
	int error; /* what ended the thread before it was told to */
};

/* Points the link to the two files in turn, each time by a rename over it. */
static void *swap_link(void *context)
{
	struct race *race = context;
	char fresh[4096];

	snprintf(fresh, sizeof(fresh), "%s.new", race->arg[2]);
	for (int i = 0; !atomic_load(&race->stop); i++)
		if (symlink(race->arg[i % 2], fresh) < 0 || rename(fresh, race->arg[2]) < 0) {
			race->error = errno;
			break;
		}
	return NULL;
}

/* arg: protected file, innocent file, link; OK when the protected one was opened even once */
static int swapped_link_open(char **arg)
{
	struct race race = { .arg = arg };
	struct stat secret, opened;
	int denied = 0, reached = 0;
	pthread_t thread;

	if (stat(arg[0], &secret) < 0 || pthread_create(&thread, NULL, swap_link, &race) != 0)
		return errno;
	for (int i = 0; i < RACE_OPENS || (!denied && !reached && i < RACE_OPENS_MAX); i++) {
		int fd = open(arg[2], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			denied += errno == EACCES;
			continue;
		}
		reached |= fstat(fd, &opened) == 0 && opened.st_ino == secret.st_ino;
		close(fd);
	}
	atomic_store(&race.stop, 1);
	pthread_join(thread, NULL);
	if (reached)
		return 0;
	return denied ? EACCES : race.error ? race.error : EAGAIN;
}

/* arg: uid whose credentials the ring uses, path */
static int ring_open_as(char **arg)
{
	struct io_uring_sqe entry = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD };

	entry.addr = (unsigned long)arg[1];
	entry.open_flags = O_RDONLY;
	return ring_submit_as(&entry, (uid_t)atoi(arg[0]));
}

/* arg: path, program that opens it; the event's descriptor is what the kernel opens for the listener */
static int fanotify_open(char **arg)
{
	struct fanotify_event_metadata event;
	int error, status, group = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	pid_t child;

	if (group < 0 || fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, arg[0]) < 0)
		return errno;
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		execl(arg[1], "op", "open-read", arg[0], NULL);
		_exit(126);
	}
	waitpid(child, &status, 0);
	error = outcome(read(group, &event, sizeof(event)));
	/* From 6.15 on the error may be told in the event instead. */
	return !error && event.fd < 0 ? -event.fd : error;
}

static void *open_in_thread(void *path)
{
	return (void *)(long)open_outcome(path, O_RDONLY);
}

static void *end_at_once(void *nothing)
{
	return nothing;
}

/* arg: path; opened by a thread after another one has ended */
static int thread_open(char **arg)
{
	pthread_t thread;
	void *error;

	if (pthread_create(&thread, NULL, end_at_once, NULL) != 0 ||
	    pthread_join(thread, NULL) != 0 ||
	    pthread_create(&thread, NULL, open_in_thread, arg[0]) != 0)
		return errno;
	pthread_join(thread, &error);
	return (int)(long)error;
}

static void *open_without_leader(void *path)
{
	char state[64] = "", name[64];
	int error, fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", getpid());
	/* The leader is gone when the kernel calls it a zombie. */
	while (!strstr(state, ") Z")) {
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, state, sizeof(state) - 1) < 0)
			break;
		close(fd);
	}
	error = open_outcome(path, O_RDONLY);
	report(error);
	exit(0);
}

/* arg: path; opened by a thread whose leader has ended */
static int leaderless_open(char **arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, open_without_leader, arg[0]) != 0)
		return errno;
	pthread_exit(NULL);
}

/* arg: program, attempt, its argument: another image of this tool makes the attempt in this process */
static int via(char **arg)
{
	execl(arg[0], "op", arg[1], arg[2], NULL);
	return errno;
}

const struct attempt racing_attempts[] = {
	{ "swapped-link-open", 3, swapped_link_open },
	{ "ring-open-as", 2, ring_open_as },
	{ "fanotify-open", 2, fanotify_open },
	{ "thread-open", 1, thread_open },
	{ "leaderless-open", 1, leaderless_open },
	{ "via", 3, via },
	{ NULL, 0, NULL },
};
