// SPDX-License-Identifier: Apache-2.0
/*
 * swarm THREADS PATH... - opens the files for reading from many threads without pause until standard
 * input has a line or ends, and prints one line for each file: "PATH allowed=N denied=N other=N".
 *
 * It says "ready" when every thread has opened every file once. Counters are per thread, so that
 * counting does not keep the threads in step.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_MAX 64
#define PATHS_MAX 4

struct counts {
	unsigned long allowed, denied, other;
};

static struct counts counts[THREADS_MAX][PATHS_MAX];
static char **paths;
static int path_count;
static atomic_int started;
static atomic_bool stop;

static void open_once(const char *path, struct counts *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		to->allowed++;
	} else if (errno == EACCES) {
		to->denied++;
	} else {
		to->other++;
	}
}

static void *run(void *own)
{
	struct counts *mine = own;

	for (unsigned long round = 0; round == 0 || !atomic_load(&stop); round++) {
		for (int i = 0; i < path_count; i++)
			open_once(paths[i], &mine[i]);
		if (round == 0)
			atomic_fetch_add(&started, 1);
	}
	return NULL;
}

static void report(int threads)
{
	for (int i = 0; i < path_count; i++) {
		struct counts sum = { 0 };

		for (int t = 0; t < threads; t++) {
			sum.allowed += counts[t][i].allowed;
			sum.denied += counts[t][i].denied;
			sum.other += counts[t][i].other;
		}
		printf("%s allowed=%lu denied=%lu other=%lu\n", paths[i], sum.allowed, sum.denied,
		       sum.other);
	}
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[1]) : 0;
	pthread_t thread[THREADS_MAX];
	char byte;

	path_count = argc - 2;
	paths = argv + 2;
	if (threads < 1 || threads > THREADS_MAX || path_count > PATHS_MAX) {
		fprintf(stderr, "swarm: needs 1 to %d threads and 1 to %d paths\n", THREADS_MAX,
			PATHS_MAX);
		return 2;
	}
	/* Nicer than whoever changes what is enforced meanwhile, or that one would hardly ever run. */
	if (nice(10) < 0)
		return 1;
	for (int t = 0; t < threads; t++) {
		if (pthread_create(&thread[t], NULL, run, counts[t]) != 0)
			return 1;
	}
	while (atomic_load(&started) < threads)
		usleep(1000);
	printf("ready\n");
	fflush(stdout);
	if (read(STDIN_FILENO, &byte, 1) < 0)
		return 1;
	atomic_store(&stop, 1);
	for (int t = 0; t < threads; t++)
		pthread_join(thread[t], NULL);
	report(threads);
	return 0;
}
