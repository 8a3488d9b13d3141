// SPDX-License-Identifier: Apache-2.0
/*
 * glass.c - break-glass in the kernel: one frozen map at glass[0], or none.
 *
 * Written as a whole, like a generation: a program sees what was there before or what is there now.
 * Nothing here has to run for it to end; the programs compare its end with the boot time.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static const uint32_t only_slot;

static int put(struct wd_kernel *kernel, const struct wd_glass *glass,
	       struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_map_named(kernel, "glass");
	uint8_t row[sizeof(only_slot) + sizeof(*glass)] = { 0 }; /* key 0, then the value */
	struct wd_rows rows = { row, sizeof(row) };
	int fd, result;

	if (glass->token == 0 || glass->until_ns == 0 || glass->generation == 0 || glass->pad != 0)
		return wd_fail(reterr_error, "argument", EINVAL, outer->name,
			       "it has no name, no end or no generation");
	memcpy(row + sizeof(only_slot), glass, sizeof(*glass));
	fd = wd_make_inner(kernel, outer, 0, &rows, reterr_error);
	if (fd < 0)
		return -1;
	result = bpf_map_update_elem(outer->fd, &only_slot, &fd, BPF_ANY);
	if (result != 0)
		wd_fail(reterr_error, "glass", errno, outer->name, "cannot put it in use");
	close(fd);
	return result;
}

int wd_set_glass(struct wd_kernel *kernel, const struct wd_glass *glass,
		 struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_map_named(kernel, "glass");

	wd_rest(kernel);
	if (glass) {
		if (put(kernel, glass, reterr_error) != 0)
			return -1;
	} else if (bpf_map_delete_elem(outer->fd, &only_slot) != 0 && errno != ENOENT) {
		return wd_fail(reterr_error, "glass", errno, outer->name, "cannot take it away");
	}
	/* The map that was there is gone. */
	return wd_own_everything(kernel, reterr_error);
}

int wd_read_glass(struct wd_kernel *kernel, bool *ret_present, struct wd_glass *ret_glass,
		  struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_map_named(kernel, "glass");
	uint32_t id;
	int fd, result;

	*ret_present = false;
	fd = wd_inner_fd(outer, only_slot, &id, reterr_error);
	if (fd < 0)
		return reterr_error->err == 0 ? 0 : -1;
	result = bpf_map_lookup_elem(fd, &only_slot, ret_glass);
	if (result != 0)
		wd_fail(reterr_error, "map-read", errno, outer->name, "cannot read");
	close(fd);
	*ret_present = result == 0;
	return result;
}
