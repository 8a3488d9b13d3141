/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost.h - what the measuring program is made of: workloads, and programs attached or not.
 */
#ifndef COST_H
#define COST_H

#include <stdint.h>

struct workload {
	const char *name;
	int iterations; /* of one measurement */
	void (*once)(void);
};

extern const struct workload workloads[];
extern const int workload_count;

/* Makes the files that the workloads use, below `dir`, which exists. */
void prepare(const char *dir);

/* Ends this program with a message when `condition` does not hold. */
void must(int condition, const char *what);

/* The programs with these ids (comma-separated) are kept, whoever lets go of them. */
void keep_programs(const char *ids);
void attach_programs(void);
void detach_programs(void);

#endif
