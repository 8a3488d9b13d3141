// SPDX-License-Identifier: Apache-2.0
/*
 * resolve.c - asks the kernel which identity a path leads to.
 *
 * The program that answers is on a hook that every stat passes. So it is attached by the first
 * question, and let go by whatever the handle is asked next that is no question: filling a bank,
 * reading events, closing. It is never pinned; a process that dies takes it along.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

int wd_begin_resolving(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct wd_program *resolver = &kernel->resolver;

	if (resolver->link_fd >= 0)
		return 0;
	if (resolver->state == WD_PROGRAM_ABSENT)
		return wd_fail(reterr_error, "resolve", ENOENT, resolver->program,
			       "this kernel has no such hook");
	if (kernel->resolver_fd < 0 &&
	    wd_load_one(kernel, resolver->program, &kernel->resolver_fd, reterr_error) != 0) {
		strcpy(reterr_error->code, "resolve");
		return -1;
	}
	resolver->link_fd = bpf_link_create(kernel->resolver_fd, 0, BPF_LSM_MAC, NULL);
	if (resolver->link_fd < 0)
		return wd_fail(reterr_error, "resolve", errno, resolver->program,
			       "cannot attach the program");
	return wd_own_program(kernel, resolver->link_fd, reterr_error);
}

void wd_rest(struct wd_kernel *kernel)
{
	if (kernel->resolver.link_fd >= 0)
		close(kernel->resolver.link_fd);
	kernel->resolver.link_fd = -1;
}

static int ask(struct wd_map *map, int fd, struct wd_resolve request,
	       struct wd_resolve *ret_identity, struct wd_error *reterr_error)
{
	const uint32_t slot = 0;
	struct statx stat;

	request.tid = (uint32_t)gettid();
	if (bpf_map_update_elem(map->fd, &slot, &request, BPF_ANY) != 0)
		return wd_fail(reterr_error, "resolve", errno, map->name, "cannot write");
	/* The program has answered before the filesystem is asked, and a filesystem that belongs to
	 * another user could keep this thread for ever: what is cached will do. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stat) != 0)
		return wd_fail(reterr_error, "stat", errno, "", "statx failed");
	if (bpf_map_lookup_elem(map->fd, &slot, ret_identity) != 0)
		return wd_fail(reterr_error, "resolve", errno, map->name, "cannot read");
	if (ret_identity->seen != 1)
		return wd_fail(reterr_error, "resolve", 0, "",
			       "the resolver program did not see the statx; is bpf in lsm=?");
	if (ret_identity->magic == BTRFS_SUPER_MAGIC && ret_identity->identity.sub == 0)
		return wd_fail(reterr_error, "resolve", 0, "",
			       "the subvolume is not known: the kernel shows no types of btrfs");
	return 0;
}

int wd_identify(struct wd_map *map, int fd, uint64_t lister_ns, struct wd_resolve *ret_identity,
		struct wd_error *reterr_error)
{
	return ask(map, fd, (struct wd_resolve){ .lister_ns = lister_ns }, ret_identity,
		   reterr_error);
}

int wd_stop_resolving(struct wd_map *map, struct wd_error *reterr_error)
{
	const struct wd_resolve off = { 0 };
	const uint32_t slot = 0;
	int result = bpf_map_update_elem(map->fd, &slot, &off, BPF_ANY);

	if (result != 0 && reterr_error)
		wd_fail(reterr_error, "resolve", errno, map->name, "cannot clear");
	return result == 0 ? 0 : -1;
}

static int ask_path(struct wd_kernel *kernel, const char *path, bool follow,
		    struct wd_resolve request, struct wd_resolve *ret_identity,
		    struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "resolve");
	int fd, result;

	if (wd_begin_resolving(kernel, reterr_error) != 0 ||
	    wd_learn_layouts(kernel, reterr_error) != 0)
		return -1;
	fd = open(path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return wd_fail(reterr_error, "open", errno, path, "cannot open the path");
	result = ask(map, fd, request, ret_identity, reterr_error);
	if (result != 0)
		strncpy(reterr_error->object, path, sizeof(reterr_error->object) - 1);
	close(fd);
	/* Always turned off again: a later thread may get the same id. The first error is told. */
	if (wd_stop_resolving(map, result == 0 ? reterr_error : NULL) != 0)
		result = -1;
	return result;
}

int wd_resolve_path(struct wd_kernel *kernel, const char *path, bool follow,
		    struct wd_resolve *ret_identity, struct wd_error *reterr_error)
{
	return ask_path(kernel, path, follow, (struct wd_resolve){ 0 }, ret_identity, reterr_error);
}

int wd_claim_path(struct wd_kernel *kernel, const char *path, struct wd_resolve *ret_identity,
		  struct wd_error *reterr_error)
{
	return ask_path(kernel, path, true, (struct wd_resolve){ .claim = 1 }, ret_identity,
			reterr_error);
}
