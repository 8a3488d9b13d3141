// SPDX-License-Identifier: Apache-2.0
/*
 * self.c - tells the programs which kernel objects are Warder's, and which process the enforcer is.
 *
 * The list of objects is kept whether protection is on or not, and always before an object is of
 * any use: a map is listed when it is made, empty. Ids of maps are not used again for a long
 * time, but the list is bounded, so what is gone leaves it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define OWN_MAX 1024

static int put_own(struct wd_kernel *kernel, struct wd_own_key key, struct wd_error *reterr_error)
{
	struct wd_map *own = wd_map_named(kernel, "own");
	const uint32_t yes = 1;

	if (bpf_map_update_elem(own->fd, &key, &yes, BPF_ANY) != 0)
		return wd_fail(reterr_error, "map-update", errno, own->name, "id %u", key.id);
	return 0;
}

int wd_own_map(struct wd_kernel *kernel, int fd, struct wd_error *reterr_error)
{
	struct bpf_map_info info = { 0 };
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
		return wd_fail(reterr_error, "map-read", errno, "own", "cannot read a map's id");
	return put_own(kernel, (struct wd_own_key){ WD_OWN_MAP, info.id }, reterr_error);
}

int wd_own_program(struct wd_kernel *kernel, int link_fd, struct wd_error *reterr_error)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(link_fd, &info, &length) != 0)
		return wd_fail(reterr_error, "map-read", errno, "own", "cannot read a link");
	return put_own(kernel, (struct wd_own_key){ WD_OWN_PROG, info.prog_id }, reterr_error);
}

static bool is_gone(const struct wd_own_key *key)
{
	int fd = key->kind == WD_OWN_MAP ? bpf_map_get_fd_by_id(key->id)
					 : bpf_prog_get_fd_by_id(key->id);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ENOENT;
}

/* Takes what no longer exists from the list. */
static void forget_gone(struct wd_kernel *kernel)
{
	struct wd_map *own = wd_map_named(kernel, "own");
	struct wd_own_key keys[OWN_MAX];
	size_t count = 0;

	while (count < OWN_MAX &&
	       bpf_map_get_next_key(own->fd, count ? &keys[count - 1] : NULL, &keys[count]) == 0)
		count++;
	for (size_t i = 0; i < count; i++) {
		if (is_gone(&keys[i]))
			bpf_map_delete_elem(own->fd, &keys[i]);
	}
}

int wd_own_everything(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	for (size_t i = 0; i < kernel->map_count; i++) {
		if (wd_own_map(kernel, kernel->maps[i].fd, reterr_error) != 0)
			return -1;
	}
	for (size_t i = 0; i < kernel->program_count; i++) {
		const struct wd_program *program = &kernel->programs[i];

		if (program->state == WD_PROGRAM_ATTACHED &&
		    wd_own_program(kernel, program->link_fd, reterr_error) != 0)
			return -1;
	}
	forget_gone(kernel);
	return 0;
}

static int write_self(struct wd_kernel *kernel, const struct wd_self *self,
		      struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "self");
	const uint32_t slot = 0;

	if (bpf_map_update_elem(map->fd, &slot, self, BPF_ANY) != 0)
		return wd_fail(reterr_error, "protect", errno, map->name, "cannot write");
	return 0;
}

/* Makes this process the enforcer, and its root the one that counts. */
static int claim(struct wd_kernel *kernel, const char *pin_dir, struct wd_self *ret_self,
		 struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "self");
	const uint32_t slot = 0;
	struct wd_resolve seen;

	if (wd_claim_path(kernel, pin_dir, &seen, reterr_error) != 0)
		return -1;
	if (bpf_map_lookup_elem(map->fd, &slot, ret_self) != 0)
		return wd_fail(reterr_error, "protect", errno, map->name, "cannot read");
	if (!ret_self->root_mount)
		return wd_fail(reterr_error, "protect", 0, map->name, "the claim had no answer");
	ret_self->pins_dev = seen.identity.dev;
	return 0;
}

int wd_protect(struct wd_kernel *kernel, const char *launcher, const char *runtime,
	       struct wd_error *reterr_error)
{
	struct wd_resolve found;
	struct wd_self self;

	if (claim(kernel, kernel->pin_dir, &self, reterr_error) != 0 ||
	    wd_resolve_path(kernel, launcher, true, &found, reterr_error) != 0)
		return -1;
	self.launcher = found.identity;
	if (wd_resolve_path(kernel, runtime, true, &found, reterr_error) != 0)
		return -1;
	self.runtime = found.identity;
	self.on = 1;
	return write_self(kernel, &self, reterr_error);
}

int wd_unprotect(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	const struct wd_self off = { 0 };

	return write_self(kernel, &off, reterr_error);
}
