// SPDX-License-Identifier: Apache-2.0
/*
 * scan.c - the identities of all regular files of a tree that have further names.
 *
 * While it lasts, file_open lets this very thread list directories that the committed generation
 * protects from everybody: a rule that denies `read` would otherwise keep its own successor out.
 * The permission is written for this thread's number and start, and always taken back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "walk.h"

struct collection {
	struct wd_map *map;
	uint64_t lister_ns;
	struct wd_scan *scan;
	size_t room;
};

static int take(void *context, int fd, struct wd_error *reterr_error)
{
	struct collection *into = context;
	struct wd_scan *scan = into->scan;
	struct wd_resolve found;

	if (wd_identify(into->map, fd, into->lister_ns, &found, reterr_error) != 0)
		return -1;
	/* Another file may have taken the name since it was listed. */
	if (!S_ISREG(found.mode) || found.nlink < 2)
		return 0;
	if (scan->count == into->room) {
		size_t room = into->room ? into->room * 2 : 64;
		void *grown = realloc(scan->identities, room * sizeof(*scan->identities));

		if (!grown)
			return wd_fail(reterr_error, "memory", ENOMEM, "", "identities");
		scan->identities = grown;
		into->room = room;
	}
	scan->identities[scan->count++] = found.identity;
	return 0;
}

static void forget(void *context)
{
	((struct collection *)context)->scan->count = 0;
}

static int scan_from(struct wd_map *map, int root_fd, uint32_t entries_max,
		     struct wd_scan *ret_scan, struct wd_error *reterr_error)
{
	struct collection into = { .map = map, .scan = ret_scan };
	struct wd_walk walk = {
		.entries_max = entries_max,
		.linked = take,
		.again = forget,
		.context = &into,
	};
	struct wd_resolve root;

	/* The first answer says when this thread started, by the kernel's clock. */
	if (wd_identify(map, root_fd, 0, &root, reterr_error) != 0)
		return -1;
	into.lister_ns = root.thread_ns;
	if (wd_identify(map, root_fd, into.lister_ns, &root, reterr_error) != 0)
		return -1;
	if (wd_walk_tree(&walk, root_fd, reterr_error) != 0)
		return -1;
	ret_scan->entries = walk.entries;
	return 0;
}

int wd_scan_tree(struct wd_kernel *kernel, const char *root, uint32_t entries_max,
		 struct wd_scan *ret_scan, struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "resolve");
	int root_fd, result;

	*ret_scan = (struct wd_scan){ 0 };
	if (wd_begin_resolving(kernel, reterr_error) != 0 ||
	    wd_learn_layouts(kernel, reterr_error) != 0)
		return -1;
	root_fd = open(root, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (root_fd < 0)
		return wd_fail(reterr_error, "open", errno, root, "cannot open the tree");
	result = scan_from(map, root_fd, entries_max, ret_scan, reterr_error);
	if (result != 0)
		strncpy(reterr_error->object, root, sizeof(reterr_error->object) - 1);
	close(root_fd);
	if (wd_stop_resolving(map, result == 0 ? reterr_error : NULL) != 0)
		result = -1;
	if (result != 0)
		wd_scan_free(ret_scan);
	return result;
}

void wd_scan_free(struct wd_scan *scan)
{
	free(scan->identities);
	*scan = (struct wd_scan){ 0 };
}
