// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

static int ask(struct wd_map *map, int fd, struct wd_resolve *ret_identity,
	       struct wd_error *reterr_error)
{
	struct wd_resolve request = { .tid = (uint32_t)gettid() };
	const struct wd_resolve off = { 0 };
	const uint32_t slot = 0;
	struct stat stat;
	int result;

	if (bpf_map_update_elem(map->fd, &slot, &request, BPF_ANY) != 0)
		return wd_fail(reterr_error, "resolve", errno, map->name, "cannot write");
	result = fstat(fd, &stat);
	if (result != 0)
		wd_fail(reterr_error, "stat", errno, "", "fstat failed");
	else if ((result = bpf_map_lookup_elem(map->fd, &slot, ret_identity)) != 0)
		wd_fail(reterr_error, "resolve", errno, map->name, "cannot read");
	/* Always turned off again: a later thread may get the same id. */
	if (bpf_map_update_elem(map->fd, &slot, &off, BPF_ANY) != 0 && result == 0)
		return wd_fail(reterr_error, "resolve", errno, map->name, "cannot clear");
	if (result != 0)
		return -1;
	if (ret_identity->seen != 1)
		return wd_fail(reterr_error, "resolve", 0, "",
			       "the resolver program did not see the fstat; is bpf in lsm=?");
	return 0;
}

int wd_resolve_path(struct wd_kernel *kernel, const char *path, bool follow,
		    struct wd_resolve *ret_identity, struct wd_error *reterr_error)
{
	int fd = open(path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	int result;

	if (fd < 0)
		return wd_fail(reterr_error, "open", errno, path, "cannot open the path");
	result = ask(wd_map_named(kernel, "resolve"), fd, ret_identity, reterr_error);
	if (result != 0)
		strncpy(reterr_error->object, path, sizeof(reterr_error->object) - 1);
	close(fd);
	return result;
}
