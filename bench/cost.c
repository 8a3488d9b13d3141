// SPDX-License-Identifier: Apache-2.0
/*
 * cost PROGRAMS QUADS DIR [PROFILE] - measures every workload with the programs detached (a) and attached
 * (b), and with PROFILE under AppArmor, the programs detached (c).
 *
 * For a guest whose clock counts instructions: a nanosecond is one. It says "ready" when it holds
 * the programs, waits until standard input ends (whoever loaded them lets go meanwhile), and prints
 * one line for each measurement: QUAD|KIND|WORKLOAD|PLACE|INSTRUCTIONS|ITERATIONS. A quad is four
 * blocks in the order a b b a, so that a drift of the whole machine cancels; every quad "ab" is
 * followed by one "ac" if there is a profile, and a control quad "aa" whose blocks are all detached.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cost.h"

#define PARTS 20
#define WARM_PART 4 /* a fraction of the iterations, not measured */
#define SETTLE_US 20000

void must(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int by_value(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

/* The median of many short parts: a timer tick or a writeback falls into few of them. */
static void measure(int quad, const char *kind, int place)
{
	for (int w = 0; w < workload_count; w++) {
		const struct workload *workload = &workloads[w];
		const int count = workload->iterations < PARTS ? workload->iterations : PARTS;
		const int each = workload->iterations / count;
		int64_t parts[PARTS];

		for (int i = 0; i < workload->iterations / WARM_PART; i++)
			workload->once();
		for (int part = 0; part < count; part++) {
			int64_t start = now();

			for (int i = 0; i < each; i++)
				workload->once();
			parts[part] = now() - start;
		}
		qsort(parts, (size_t)count, sizeof(parts[0]), by_value);
		printf("%d|%s|%s|%d|%lld|%d\n", quad, kind, workload->name, place,
		       (long long)parts[count / 2], each);
	}
}

/* Under AppArmor this process, and what it executes, is judged by the profile from here on. */
static void change_profile(const char *name)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "changeprofile %s", name);
	int fd = open("/proc/self/attr/current", O_WRONLY | O_CLOEXEC);

	must(fd >= 0 && write(fd, text, (size_t)length) == length, "cannot change the profile");
	close(fd);
}

static void block(int quad, const char *kind, int place, const char *profile)
{
	const int inner = place == 1 || place == 2;
	const int attached = inner && strcmp(kind, "ab") == 0;
	const int confined = inner && strcmp(kind, "ac") == 0;

	if (attached)
		attach_programs();
	if (confined)
		change_profile(profile);
	usleep(SETTLE_US); /* old trampolines are freed behind our back */
	measure(quad, kind, place);
	if (attached)
		detach_programs();
	if (confined)
		change_profile("unconfined");
}

static void quad_of(int quad, const char *kind, const char *profile)
{
	for (int place = 0; place < 4; place++)
		block(quad, kind, place, profile);
}

int main(int argc, char **argv)
{
	char byte;

	if (argc == 2 && strcmp(argv[1], "exit") == 0)
		return 0;
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: cost PROGRAMS QUADS DIR [PROFILE]\n");
		return 2;
	}
	keep_programs(argv[1]);
	prepare(argv[3]);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (int quad = 0; quad < atoi(argv[2]); quad++) {
		quad_of(quad, "ab", NULL);
		if (argc == 5)
			quad_of(quad, "ac", argv[4]);
		quad_of(quad, "aa", NULL);
	}
	return 0;
}
