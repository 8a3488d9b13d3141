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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "log.h"

/* One entry per hook: the variant for this kernel, or why there is none. */
static int choose_programs(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return wd_fail(reterr_error, "btf", errno, "/sys/kernel/btf/vmlinux",
			       "the kernel does not describe its types");
	for (size_t i = 0; i < wd_spec_count; i++) {
		const struct wd_program_spec *spec = &wd_specs[i];
		struct wd_program *program = &kernel->programs[kernel->program_count];
		int nargs;

		if (!wd_spec_is_first(i))
			continue;
		nargs = wd_hook_nargs(btf, spec->hook);
		if (wd_spec_for(spec->hook, nargs))
			spec = wd_spec_for(spec->hook, nargs);
		program->program = spec->program;
		program->hook = spec->hook;
		program->hook_id = spec->hook_id;
		program->needs = spec->needs;
		program->link_fd = -1;
		program->state = spec->nargs == nargs ? WD_PROGRAM_UNSET : WD_PROGRAM_ABSENT;
		kernel->program_count++;
	}
	btf__free(btf);
	return 0;
}

/* A program that programs.h lists and the object lacks is absent as well. */
static void check_programs(struct wd_kernel *kernel, struct bpf_object *object)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if (!bpf_object__find_program_by_name(object, program->program))
			program->state = WD_PROGRAM_ABSENT;
	}
}

static int adopt_maps(struct wd_kernel *kernel, const char *dir, struct wd_error *reterr_error)
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

/* Loads the object without any program: that creates its maps. */
static int create_maps(struct wd_kernel *kernel, struct bpf_object *object, const char *dir,
		       struct wd_error *reterr_error)
{
	struct bpf_program *program;
	struct bpf_map *source;
	size_t i = 0;

	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, false);
	wd_log_clear();
	if (bpf_object__load(object) != 0) {
		int err = errno;
		char log[WD_LOG_TAIL];

		wd_log_tail(log, sizeof(log));
		return wd_fail(reterr_error, "map-create", err, kernel->build, "%s", log);
	}
	bpf_object__for_each_map (source, object) {
		if (take_map(&kernel->maps[i++], source, dir, reterr_error) != 0)
			return -1;
	}
	return 0;
}

static void reject(struct wd_program *program, const struct wd_error *error)
{
	program->state = WD_PROGRAM_REJECTED;
	program->err = error->err;
	snprintf(program->step, sizeof(program->step), "%s", error->code);
	free(program->log);
	program->log = strdup(error->detail);
}

/* Attaches and pins one loaded program. Consumes prog_fd. */
static void attach(struct wd_program *program, int prog_fd, const char *dir)
{
	struct wd_error error;
	char path[PATH_MAX];
	int link_fd;

	wd_note_tag(program, prog_fd);
	link_fd = bpf_link_create(prog_fd, 0, BPF_LSM_MAC, NULL);
	if (link_fd < 0)
		wd_fail(&error, "attach", errno, program->program, "%s",
			"cannot attach the program");
	close(prog_fd);
	if (link_fd < 0) {
		reject(program, &error);
		return;
	}
	if (wd_join(path, sizeof(path), &error, "%s/links/%s", dir, program->program) == 0) {
		if (bpf_obj_pin(link_fd, path) == 0) {
			program->state = WD_PROGRAM_ATTACHED;
			program->link_fd = link_fd;
			return;
		}
		wd_fail(&error, "pin", errno, path, "cannot pin the link");
	}
	close(link_fd);
	reject(program, &error);
}

/* Programs whose pin exists are attached already; the others are still to be loaded. */
static void adopt_links(struct wd_kernel *kernel, const char *dir)
{
	struct wd_error error;
	char path[PATH_MAX];

	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if (program->state != WD_PROGRAM_UNSET ||
		    wd_join(path, sizeof(path), &error, "%s/links/%s", dir, program->program) != 0)
			continue;
		program->link_fd = bpf_obj_get(path);
		if (program->link_fd >= 0)
			program->state = WD_PROGRAM_ATTACHED;
	}
}

static size_t count_pending(const struct wd_kernel *kernel, bool *ret_wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->program_count; i++) {
		ret_wanted[i] = kernel->programs[i].state == WD_PROGRAM_UNSET;
		count += ret_wanted[i];
	}
	return count;
}

/*
 * Loads, attaches and pins what is pending. All in one go first, because libbpf reads the kernel's
 * BTF anew for each load; when the kernel refuses anything, one by one, so that a program which
 * the verifier rejects does not take the rest with it.
 */
static void attach_pending(struct wd_kernel *kernel, const char *dir)
{
	bool wanted[WD_HOOKS * 2], alone[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];
	struct wd_error error;

	if (count_pending(kernel, wanted) == 0)
		return;
	if (wd_load_set(kernel, wanted, fds, &error) == 0) {
		for (size_t i = 0; i < kernel->program_count; i++) {
			if (wanted[i])
				attach(&kernel->programs[i], fds[i], dir);
		}
		return;
	}
	for (size_t i = 0; i < kernel->program_count; i++) {
		if (!wanted[i])
			continue;
		memset(alone, 0, sizeof(alone));
		alone[i] = true;
		if (wd_load_set(kernel, alone, fds, &error) == 0)
			attach(&kernel->programs[i], fds[i], dir);
		else
			reject(&kernel->programs[i], &error);
	}
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

	if (wd_join(dir, sizeof(dir), reterr_error, "%s-new", kernel->build_dir) != 0)
		return -1;
	if (wd_remove_build(dir, &ids, reterr_error) != 0 || make_dirs(dir, reterr_error) != 0 ||
	    create_maps(kernel, object, dir, reterr_error) != 0)
		return -1;
	attach_pending(kernel, dir);
	if (rename(dir, kernel->build_dir) != 0)
		return wd_fail(reterr_error, "pin", errno, kernel->build_dir,
			       "cannot rename the directory");
	return 0;
}

static int load_or_adopt(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct bpf_object *object = wd_object_open(kernel, reterr_error);
	int result = -1;

	if (!object)
		return -1;
	if (wd_read_definitions(kernel, object, reterr_error) != 0 ||
	    choose_programs(kernel, reterr_error) != 0)
		goto out;
	check_programs(kernel, object);
	kernel->adopted = access(kernel->build_dir, F_OK) == 0;
	if (!kernel->adopted) {
		result = assemble(kernel, object, reterr_error);
		goto out;
	}
	if (adopt_maps(kernel, kernel->build_dir, reterr_error) != 0)
		goto out;
	adopt_links(kernel, kernel->build_dir);
	attach_pending(kernel, kernel->build_dir);
	result = 0;
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
	if (take_options(kernel, options, reterr_error) != 0 ||
	    wd_make_dir(kernel->pin_dir, reterr_error) != 0 ||
	    wd_lock_pin_dir(kernel->pin_dir, &kernel->lock_fd, reterr_error) != 0 ||
	    load_or_adopt(kernel, reterr_error) != 0) {
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
