// SPDX-License-Identifier: Apache-2.0
/*
 * adopt.c - take over what an earlier process pinned.
 *
 * A pin is only a name. A map under the right name, of the right shape, that no attached program
 * reads would make this process fill and commit to nobody; so the programs are asked which maps
 * they use, and the pins must lead to these.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

int wd_adopt_maps(struct wd_kernel *kernel, const char *dir, struct wd_error *reterr_error)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < kernel->map_count; i++) {
		struct wd_map *map = &kernel->maps[i];
		struct bpf_map_info info = { 0 };
		uint32_t length = sizeof(info);

		if (wd_join(path, sizeof(path), reterr_error, "%s/maps/%s", dir, map->name) != 0)
			return -1;
		map->fd = bpf_obj_get(path);
		if (map->fd < 0 || bpf_obj_get_info_by_fd(map->fd, &info, &length) != 0)
			return wd_fail(reterr_error, "adopt", errno, path, "cannot open the pin");
		if (info.key_size != map->key_bytes || info.value_size != map->value_bytes)
			return wd_fail(reterr_error, "adopt", 0, path,
				       "is a map with other rows than the object's");
	}
	return 0;
}

/* Programs whose pin exists are attached already; the others are still to be loaded. */
void wd_adopt_links(struct wd_kernel *kernel, const char *dir)
{
	struct wd_error error;
	char path[PATH_MAX];

	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if ((program->state != WD_PROGRAM_UNSET && program->state != WD_PROGRAM_IDLE) ||
		    wd_join(path, sizeof(path), &error, "%s/links/%s", dir, program->program) != 0)
			continue;
		program->link_fd = bpf_obj_get(path);
		if (program->link_fd >= 0)
			program->state = WD_PROGRAM_ATTACHED;
	}
}

int wd_read_map_info(int fd, struct bpf_map_info *ret_info)
{
	uint32_t length = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(fd, ret_info, &length);
}

/* The map that a program uses must be the one that is pinned under its name. Names of up to 15
 * characters are whole in the kernel; a map with a longer one is not found, and not compared. */
static int check_map(struct wd_kernel *kernel, uint32_t id, struct wd_error *reterr_error)
{
	struct bpf_map_info used, pinned;
	struct wd_map *map;
	int fd = bpf_map_get_fd_by_id(id);
	int result;

	if (fd < 0)
		return wd_fail(reterr_error, "adopt", errno, "map", "cannot open map %u", id);
	result = wd_read_map_info(fd, &used);
	close(fd);
	if (result != 0)
		return wd_fail(reterr_error, "adopt", errno, "map", "cannot read map %u", id);
	map = wd_map_named(kernel, used.name);
	if (!map)
		return 0;
	if (wd_read_map_info(map->fd, &pinned) != 0)
		return wd_fail(reterr_error, "adopt", errno, map->name, "cannot read the map");
	if (pinned.id != id)
		return wd_fail(reterr_error, "adopt", 0, map->name,
			       "the pin leads to map %u, the attached programs use map %u",
			       pinned.id, id);
	return 0;
}

static int check_program(struct wd_kernel *kernel, uint32_t prog_id, struct wd_error *reterr_error)
{
	uint32_t ids[WD_MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = WD_MAPS_MAX, .map_ids = (uintptr_t)ids };
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);
	int result = fd < 0 ? -1 : bpf_obj_get_info_by_fd(fd, &info, &length);

	if (result != 0)
		wd_fail(reterr_error, "adopt", errno, "program", "cannot read program %u", prog_id);
	for (uint32_t i = 0; result == 0 && i < info.nr_map_ids && i < WD_MAPS_MAX; i++)
		result = check_map(kernel, ids[i], reterr_error);
	if (fd >= 0)
		close(fd);
	return result;
}

int wd_check_adopted(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		const struct wd_program *program = &kernel->programs[i];
		struct bpf_link_info info = { 0 };
		uint32_t length = sizeof(info);

		if (program->state != WD_PROGRAM_ATTACHED)
			continue;
		if (bpf_obj_get_info_by_fd(program->link_fd, &info, &length) != 0)
			return wd_fail(reterr_error, "adopt", errno, program->program,
				       "cannot read the link");
		if (check_program(kernel, info.prog_id, reterr_error) != 0)
			return -1;
	}
	return 0;
}
