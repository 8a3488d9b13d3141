/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h - visits every entry of a tree that other users may write to, and that may change meanwhile.
 */
#ifndef WD_WALK_H
#define WD_WALK_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

struct wd_walk {
	uint32_t entries_max;
	/* A regular file with more than one name, as an O_PATH descriptor that the walk closes. */
	int (*linked)(void *context, int fd, struct wd_error *reterr_error);
	/* The walk begins again: what `linked` was told is void. */
	void (*again)(void *context);
	void *context;
	uint32_t entries; /* out: of the walk that came to its end */
};

/* Walks below `root_fd`, an O_PATH descriptor. What is no directory has no entries. Codes: too-large
 * (more than entries_max), moved (the tree kept changing under the walk), scan, memory. */
int wd_walk_tree(struct wd_walk *walk, int root_fd, struct wd_error *reterr_error);

#endif
