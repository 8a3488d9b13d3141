// SPDX-License-Identifier: Apache-2.0
/*
 * open.c - load the object, or adopt what an earlier process pinned.
 *
 * A new build is assembled in <build>-new and renamed to <build> when all of it is there. Its
 * programs run from the moment they are attached, but find no committed generation and allow, so
 * a crash in between leaves nothing that matters and the next open starts over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "log.h"

/* libbpf fills slot 0 of an outer map with the template of its inner maps. A bank must hold what
 * wd_fill() put there or nothing. */
static int empty_outer(struct wd_map *map, struct wd_error *reterr_error)
{
	for (uint32_t slot = 0; slot < map->entries; slot++) {
		if (bpf_map_delete_elem(map->fd, &slot) != 0 && errno != ENOENT)
			return wd_fail(reterr_error, "map-create", errno, map->name,
				       "cannot empty the slot");
	}
	return 0;
}

static int take_map(struct wd_map *map, struct bpf_map *source, const char *dir,
		    struct wd_error *reterr_error)
{
	char path[PATH_MAX];

	map->fd = fcntl(bpf_map__fd(source), F_DUPFD_CLOEXEC, 3);
	if (map->fd < 0)
		return wd_fail(reterr_error, "map-create", errno, map->name, "no descriptor");
	if (map->inner_type != 0 && empty_outer(map, reterr_error) != 0)
		return -1;
	if (wd_join(path, sizeof(path), reterr_error, "%s/maps/%s", dir, map->name) != 0)
		return -1;
	if (bpf_obj_pin(map->fd, path) != 0)
		return wd_fail(reterr_error, "pin", errno, path, "cannot pin the map");
	return 0;
}

static int take_maps(struct wd_kernel *kernel, struct bpf_object *object, const char *dir,
		     struct wd_error *reterr_error)
{
	struct bpf_map *source;
	size_t i = 0;

	bpf_object__for_each_map (source, object) {
		if (take_map(&kernel->maps[i++], source, dir, reterr_error) != 0)
			return -1;
	}
	return 0;
}

/* Loads the object without any program: that creates its maps. */
static int create_maps(struct wd_kernel *kernel, struct bpf_object *object, const char *dir,
		       struct wd_error *reterr_error)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, false);
	wd_log_clear();
	if (bpf_object__load(object) != 0) {
		int err = errno;
		char log[WD_LOG_TAIL];

		wd_log_tail(log, sizeof(log));
		return wd_fail(reterr_error, "map-create", err, kernel->build, "%s", log);
	}
	return take_maps(kernel, object, dir, reterr_error);
}

/*
 * Maps and all programs by one load, because libbpf reads the kernel's types and symbols anew for each.
 * 1: the kernel refused something, and nothing was made.
 */
static int assemble_at_once(struct wd_kernel *kernel, struct bpf_object *object, const char *dir,
			    struct wd_error *reterr_error)
{
	bool wanted[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];

	wd_count_pending(kernel, wanted);
	if (wd_choose_first(kernel, object, wanted, reterr_error) != 0)
		return -1;
	wd_log_clear();
	if (bpf_object__load(object) != 0)
		return 1;
	if (take_maps(kernel, object, dir, reterr_error) != 0 ||
	    wd_take_first(kernel, object, wanted, fds, reterr_error) != 0)
		return -1;
	wd_attach_loaded(kernel, wanted, fds, dir);
	return 0;
}

static int assemble_singly(struct wd_kernel *kernel, const char *dir, struct wd_error *reterr_error)
{
	struct bpf_object *object = wd_object_open(kernel, reterr_error);
	int result;

	if (!object)
		return -1;
	result = create_maps(kernel, object, dir, reterr_error);
	if (result == 0)
		wd_attach_singly(kernel, dir);
	bpf_object__close(object);
	return result;
}

static int make_dirs(const char *dir, struct wd_error *reterr_error)
{
	static const char *const kinds[] = { "", "/maps", "/links", "/banks" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (wd_join(path, sizeof(path), reterr_error, "%s%s", dir, kinds[i]) != 0 ||
		    wd_make_dir(path, reterr_error) != 0)
			return -1;
	}
	return 0;
}

static int assemble(struct wd_kernel *kernel, struct bpf_object *object,
		    struct wd_error *reterr_error)
{
	struct wd_link_ids ids = { 0 };
	char dir[PATH_MAX];
	int made;

	if (wd_join(dir, sizeof(dir), reterr_error, "%s-new", kernel->build_dir) != 0)
		return -1;
	if (wd_remove_build(dir, &ids, reterr_error) != 0 || make_dirs(dir, reterr_error) != 0)
		return -1;
	made = assemble_at_once(kernel, object, dir, reterr_error);
	if (made > 0)
		made = assemble_singly(kernel, dir, reterr_error);
	if (made != 0)
		return -1;
	if (rename(dir, kernel->build_dir) != 0)
		return wd_fail(reterr_error, "pin", errno, kernel->build_dir,
			       "cannot rename the directory");
	return 0;
}

/* A process that died beside a commit may have left a program too many, or lost one. */
static int settle_demanded(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct wd_committed committed;

	if (wd_read_committed(kernel, &committed, reterr_error) != 0)
		return -1;
	/* What cannot be attached shows in the proof; the rest must not go with it. */
	if (committed.present && wd_attach_demanded(kernel, &committed.header, reterr_error) == 0)
		wd_detach_idle(kernel, &committed.header);
	return 0;
}

static int load_or_adopt(struct wd_kernel *kernel, bool fresh, struct wd_error *reterr_error)
{
	struct bpf_object *object = wd_object_open(kernel, reterr_error);
	int result = -1;

	if (!object)
		return -1;
	if (wd_read_definitions(kernel, object, reterr_error) != 0 ||
	    wd_choose_programs(kernel, reterr_error) != 0)
		goto out;
	wd_check_programs(kernel, object);
	if (fresh && wd_move_aside(kernel->build_dir, reterr_error) != 0)
		goto out;
	kernel->adopted = access(kernel->build_dir, F_OK) == 0;
	if (!kernel->adopted) {
		result = assemble(kernel, object, reterr_error);
		goto out;
	}
	if (wd_adopt_maps(kernel, kernel->build_dir, reterr_error) != 0)
		goto out;
	wd_adopt_links(kernel, kernel->build_dir);
	if (wd_check_adopted(kernel, reterr_error) != 0)
		goto out;
	wd_attach_pending(kernel, kernel->build_dir);
	result = settle_demanded(kernel, reterr_error);
out:
	bpf_object__close(object);
	return result;
}

static int take_options(struct wd_kernel *kernel, const struct wd_open_options *options,
			struct wd_error *reterr_error)
{
	if (!wd_is_build_name(options->build) || strchr(options->build, '-'))
		return wd_fail(reterr_error, "argument", 0, "build",
			       "must be 8 to %d lower-case hexadecimal digits", WD_BUILD_MAX);
	strcpy(kernel->build, options->build);
	if (wd_join(kernel->pin_dir, sizeof(kernel->pin_dir), reterr_error, "%s",
		    options->pin_dir) != 0 ||
	    wd_join(kernel->build_dir, sizeof(kernel->build_dir), reterr_error, "%s/%s",
		    options->pin_dir, options->build) != 0)
		return -1;
	kernel->object = malloc(options->object_bytes);
	if (!kernel->object)
		return wd_fail(reterr_error, "memory", ENOMEM, "object", "no memory");
	memcpy(kernel->object, options->object, options->object_bytes);
	kernel->object_bytes = options->object_bytes;
	return 0;
}

int wd_open(const struct wd_open_options *options, struct wd_kernel **ret_kernel,
	    struct wd_error *reterr_error)
{
	struct wd_kernel *kernel = calloc(1, sizeof(*kernel));

	wd_log_capture();
	if (!kernel)
		return wd_fail(reterr_error, "memory", ENOMEM, "kernel", "no memory");
	kernel->lock_fd = -1;
	kernel->resolver_fd = -1;
	kernel->resolver.link_fd = -1;
	if (take_options(kernel, options, reterr_error) != 0 ||
	    wd_make_dir(kernel->pin_dir, reterr_error) != 0 ||
	    wd_lock_pin_dir(kernel->pin_dir, &kernel->lock_fd, reterr_error) != 0 ||
	    load_or_adopt(kernel, options->fresh, reterr_error) != 0 ||
	    wd_own_everything(kernel, reterr_error) != 0) {
		wd_close(kernel);
		return -1;
	}
	*ret_kernel = kernel;
	return 0;
}

void wd_close(struct wd_kernel *kernel)
{
	if (!kernel)
		return;
	ring_buffer__free(kernel->events);
	wd_rest(kernel);
	if (kernel->resolver_fd >= 0)
		close(kernel->resolver_fd);
	for (size_t i = 0; i < kernel->program_count; i++) {
		if (kernel->programs[i].link_fd >= 0)
			close(kernel->programs[i].link_fd);
		free(kernel->programs[i].log);
	}
	for (size_t i = 0; i < kernel->map_count; i++) {
		if (kernel->maps[i].fd >= 0)
			close(kernel->maps[i].fd);
	}
	if (kernel->lock_fd >= 0)
		close(kernel->lock_fd);
	free(kernel->object);
	free(kernel);
}

bool wd_adopted(const struct wd_kernel *kernel)
{
	return kernel->adopted;
}

size_t wd_programs(const struct wd_kernel *kernel, const struct wd_program **ret_programs)
{
	*ret_programs = kernel->programs;
	return kernel->program_count;
}
