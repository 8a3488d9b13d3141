// SPDX-License-Identifier: Apache-2.0
/*
 * cost PROGRAMS QUADS DIR - measures every workload with the programs detached (a) and attached (b).
 *
 * For a guest whose clock counts instructions: a nanosecond is one. It says "ready" when it holds
 * the programs, waits until standard input ends (whoever loaded them lets go meanwhile), and prints
 * one line for each measurement: QUAD|KIND|WORKLOAD|PLACE|INSTRUCTIONS|ITERATIONS. A quad is four
 * blocks in the order a b b a, so that a drift of the whole machine cancels; every quad "ab" is
 * followed by a control quad "aa" whose blocks are all detached.
 */
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
		const int each = workload->iterations / PARTS;
		int64_t parts[PARTS];

		for (int i = 0; i < workload->iterations / WARM_PART; i++)
			workload->once();
		for (int part = 0; part < PARTS; part++) {
			int64_t start = now();

			for (int i = 0; i < each; i++)
				workload->once();
			parts[part] = now() - start;
		}
		qsort(parts, PARTS, sizeof(parts[0]), by_value);
		printf("%d|%s|%s|%d|%lld|%d\n", quad, kind, workload->name, place,
		       (long long)parts[PARTS / 2], each);
	}
}

static void block(int quad, const char *kind, int place)
{
	int attached = strcmp(kind, "ab") == 0 && (place == 1 || place == 2);

	if (attached)
		attach_programs();
	usleep(SETTLE_US); /* old trampolines are freed behind our back */
	measure(quad, kind, place);
	if (attached)
		detach_programs();
}

int main(int argc, char **argv)
{
	char byte;

	if (argc == 2 && strcmp(argv[1], "exit") == 0)
		return 0;
	if (argc != 4) {
		fprintf(stderr, "usage: cost PROGRAMS QUADS DIR\n");
		return 2;
	}
	keep_programs(argv[1]);
	prepare(argv[3]);
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (int quad = 0; quad < atoi(argv[2]); quad++) {
		for (int place = 0; place < 4; place++)
			block(quad, "ab", place);
		for (int place = 0; place < 4; place++)
			block(quad, "aa", place);
	}
	return 0;
}
