// SPDX-License-Identifier: Apache-2.0
/*
 * retire.c - taking pins away: of older builds after an upgrade, or of all builds.
 *
 * Ending enforcement is one update first, that of 'committed'; then links go, then maps.
 *
 * LSM links cannot be detached by force: a link ends when its last holder lets go, some time after
 * its pin is removed (the kernel frees the inode after a grace period). What is reported is
 * therefore what the kernel says about the link ids afterwards, not what was unlinked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define DETACH_WAIT_MS 30000
#define DETACH_STEP_MS 5

static uint32_t count_alive(const struct wd_link_ids *ids)
{
	uint32_t alive = ids->removed - ids->count; /* links whose end nobody can observe */

	for (uint32_t i = 0; i < ids->count; i++) {
		int fd = bpf_link_get_fd_by_id(ids->ids[i]);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd >= 0)
			close(fd);
		alive++;
	}
	return alive;
}

static uint32_t await_end(const struct wd_link_ids *ids)
{
	const struct timespec step = { .tv_nsec = DETACH_STEP_MS * 1000000L };
	uint32_t alive = count_alive(ids);

	for (int waited = 0; alive > 0 && waited < DETACH_WAIT_MS; waited += DETACH_STEP_MS) {
		nanosleep(&step, NULL);
		alive = count_alive(ids);
	}
	return alive;
}

typedef int (*build_fn)(void *context, const char *build_dir, struct wd_error *reterr_error);

static int is_build(const struct dirent *entry)
{
	return wd_is_build_name(entry->d_name);
}

/* Calls `visit` for every build in the directory except `but` (NULL: all). The names are collected
 * first, because visiting may remove them. */
static int each_build(const char *pin_dir, const char *but, build_fn visit, void *context,
		      struct wd_error *reterr_error)
{
	struct dirent **entries;
	int count = scandir(pin_dir, &entries, is_build, NULL);
	int result = 0;

	if (count < 0)
		return wd_fail(reterr_error, "pin", errno, pin_dir, "cannot list");
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char path[PATH_MAX];

		if (result == 0 && (!but || strcmp(name, but) != 0)) {
			result = wd_join(path, sizeof(path), reterr_error, "%s/%s", pin_dir, name);
			if (result == 0)
				result = visit(context, path, reterr_error);
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

struct removal {
	struct wd_link_ids ids;
	uint32_t builds;
};

static int remove_one(void *context, const char *build_dir, struct wd_error *reterr_error)
{
	struct removal *removal = context;

	removal->builds++;
	return wd_remove_build(build_dir, &removal->ids, reterr_error);
}

static int find_committed(void *context, const char *build_dir, struct wd_error *reterr_error)
{
	bool *found = context;
	uint32_t slot = 0, id;
	char path[PATH_MAX];
	int fd;

	if (wd_join(path, sizeof(path), reterr_error, "%s/maps/committed", build_dir) != 0)
		return -1;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0
				       : wd_fail(reterr_error, "pin", errno, path, "cannot open");
	*found = *found || bpf_map_lookup_elem(fd, &slot, &id) == 0;
	close(fd);
	return 0;
}

/* Nothing is committed any more: every hook allows from one moment on, whichever are still there.
 * Where the pin leads elsewhere, the links end it one by one. */
static int uncommit(void *context, const char *build_dir, struct wd_error *reterr_error)
{
	uint32_t slot = 0;
	char path[PATH_MAX];
	int fd;

	(void)context;
	if (wd_join(path, sizeof(path), reterr_error, "%s/maps/committed", build_dir) != 0)
		return -1;
	fd = bpf_obj_get(path);
	if (fd >= 0) {
		bpf_map_delete_elem(fd, &slot);
		close(fd);
	}
	return 0;
}

/* What is left by an end in between enforces nothing, and is taken away by the next call. */
static int remove_all(const char *pin_dir, struct removal *removal, struct wd_error *reterr_error)
{
	if (each_build(pin_dir, NULL, uncommit, NULL, reterr_error) != 0)
		return -1;
	return each_build(pin_dir, NULL, remove_one, removal, reterr_error);
}

static void report(const struct removal *removal, struct wd_removal *ret_removal)
{
	ret_removal->links = removal->ids.removed;
	ret_removal->builds = removal->builds;
	ret_removal->alive = await_end(&removal->ids);
}

int wd_retire_other(struct wd_kernel *kernel, struct wd_removal *ret_removal,
		    struct wd_error *reterr_error)
{
	struct removal removal = { 0 };
	bool here = false, elsewhere = false;

	if (find_committed(&here, kernel->build_dir, reterr_error) != 0 ||
	    each_build(kernel->pin_dir, kernel->build, find_committed, &elsewhere, reterr_error) !=
		    0)
		return -1;
	if (elsewhere && !here)
		return wd_fail(reterr_error, "committed-elsewhere", 0, kernel->build,
			       "another build enforces and this one has nothing committed");
	if (each_build(kernel->pin_dir, kernel->build, remove_one, &removal, reterr_error) != 0)
		return -1;
	report(&removal, ret_removal);
	return 0;
}

int wd_disable(struct wd_kernel *kernel, struct wd_removal *ret_removal,
	       struct wd_error *reterr_error)
{
	struct removal removal = { 0 };
	int result;

	result = remove_all(kernel->pin_dir, &removal, reterr_error);
	wd_close(kernel); /* the handle's own descriptors hold the links, too */
	if (result == 0)
		report(&removal, ret_removal);
	return result;
}

int wd_disable_pins(const char *pin_dir, struct wd_removal *ret_removal,
		    struct wd_error *reterr_error)
{
	struct removal removal = { 0 };
	int lock_fd, result;

	memset(ret_removal, 0, sizeof(*ret_removal));
	if (access(pin_dir, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (wd_lock_pin_dir(pin_dir, &lock_fd, reterr_error) != 0)
		return -1;
	result = remove_all(pin_dir, &removal, reterr_error);
	close(lock_fd);
	if (result == 0)
		report(&removal, ret_removal);
	return result;
}
