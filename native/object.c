// SPDX-License-Identifier: Apache-2.0
/*
 * object.c - what the BPF object declares, and loading sets of its programs on given maps.
 *
 * libbpf frees a program's and a map's description when it loads an object, so the object is
 * opened again from the same bytes for each load. The maps are always the handle's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "log.h"

struct bpf_object *wd_object_open(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "warder");
	char log[WD_LOG_TAIL];
	struct bpf_object *object;

	wd_log_clear();
	object = bpf_object__open_mem(kernel->object, kernel->object_bytes, &options);
	if (!object) {
		int err = errno;

		wd_log_tail(log, sizeof(log));
		wd_fail(reterr_error, "object", err, kernel->build, "cannot be opened\n%s", log);
	}
	return object;
}

struct wd_map *wd_map_named(struct wd_kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->map_count; i++) {
		if (strcmp(kernel->maps[i].name, name) == 0)
			return &kernel->maps[i];
	}
	return NULL;
}

static void pin_name(const struct bpf_map *map, char ret_name[WD_MAP_NAME])
{
	strncpy(ret_name, bpf_map__name(map), WD_MAP_NAME - 1);
	ret_name[WD_MAP_NAME - 1] = '\0';
	for (char *dot = ret_name; (dot = strchr(dot, '.'));)
		*dot = '_';
}

static void read_definition(struct bpf_map *source, struct wd_map *ret_map)
{
	struct bpf_map *inner = bpf_map__inner_map(source);

	memset(ret_map, 0, sizeof(*ret_map));
	pin_name(source, ret_map->name);
	ret_map->fd = -1;
	ret_map->key_bytes = bpf_map__key_size(source);
	ret_map->value_bytes = bpf_map__value_size(source);
	ret_map->entries = bpf_map__max_entries(source);
	if (!inner)
		return;
	ret_map->inner_opts.sz = sizeof(ret_map->inner_opts);
	ret_map->inner_opts.map_flags = bpf_map__map_flags(inner);
	ret_map->inner_type = bpf_map__type(inner);
	ret_map->inner_key_bytes = bpf_map__key_size(inner);
	ret_map->inner_value_bytes = bpf_map__value_size(inner);
	ret_map->inner_entries = bpf_map__max_entries(inner);
}

struct wanted_map {
	const char *name;
	uint32_t value_bytes; /* of the inner map when key_bytes is not 0 */
	uint32_t key_bytes;
};

/* The layouts that abi.h promises: an object of another ABI must not be loaded at all. */
static const struct wanted_map wanted_maps[] = {
	{ "committed", sizeof(struct wd_generation), sizeof(uint32_t) },
	{ "objects", sizeof(struct wd_object), sizeof(struct wd_identity) },
	{ "names", sizeof(struct wd_object), sizeof(struct wd_name_key) },
	{ "labels", sizeof(struct wd_ruleset), sizeof(uint32_t) },
	{ "exempt", sizeof(uint32_t), sizeof(struct wd_exempt_key) },
	{ "groups", sizeof(struct wd_group), sizeof(struct wd_group_key) },
	{ "glass", sizeof(struct wd_glass), sizeof(uint32_t) },
	{ "counters", sizeof(struct wd_counters), 0 },
	{ "resolve", sizeof(struct wd_resolve), 0 },
	{ "self", sizeof(struct wd_self), 0 },
	{ "own", sizeof(uint32_t), 0 },
	{ "loaded", sizeof(struct wd_loaded), 0 },
	{ "prover", sizeof(uint32_t), 0 },
	{ "canaries", 0, 0 },
	{ "denials", 0, 0 },
	{ "layouts", sizeof(struct wd_layouts), 0 },
	{ "events", 0, 0 },
};

static int check_definition(struct wd_kernel *kernel, const struct wanted_map *wanted,
			    struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, wanted->name);

	if (!map)
		return wd_fail(reterr_error, "object", 0, wanted->name,
			       "the object lacks this map");
	if (wanted->key_bytes == 0) {
		if (map->value_bytes != wanted->value_bytes)
			return wd_fail(reterr_error, "object", 0, wanted->name,
				       "values have %u bytes, expected %u", map->value_bytes,
				       wanted->value_bytes);
		return 0;
	}
	if (map->inner_type == 0 || map->inner_key_bytes != wanted->key_bytes ||
	    map->inner_value_bytes != wanted->value_bytes)
		return wd_fail(reterr_error, "object", 0, wanted->name,
			       "inner rows have %u + %u bytes, expected %u + %u",
			       map->inner_key_bytes, map->inner_value_bytes, wanted->key_bytes,
			       wanted->value_bytes);
	/* Freezing stops only system calls; this flag stops programs. Both are needed. */
	if (!(map->inner_opts.map_flags & BPF_F_RDONLY_PROG))
		return wd_fail(reterr_error, "object", 0, wanted->name,
			       "inner maps lack BPF_F_RDONLY_PROG");
	return 0;
}

int wd_read_definitions(struct wd_kernel *kernel, struct bpf_object *object,
			struct wd_error *reterr_error)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object) {
		if (kernel->map_count == WD_MAPS_MAX)
			return wd_fail(reterr_error, "object", E2BIG, kernel->build,
				       "more than %d maps", WD_MAPS_MAX);
		read_definition(map, &kernel->maps[kernel->map_count++]);
	}
	for (size_t i = 0; i < sizeof(wanted_maps) / sizeof(wanted_maps[0]); i++) {
		if (check_definition(kernel, &wanted_maps[i], reterr_error) != 0)
			return -1;
	}
	return 0;
}

/* Puts the handle's maps under the object, and no program to be loaded yet. */
static int prepare(struct wd_kernel *kernel, struct bpf_object *object,
		   struct wd_error *reterr_error)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, false);
	bpf_object__for_each_map (map, object) {
		char name[WD_MAP_NAME];
		struct wd_map *own;

		pin_name(map, name);
		own = wd_map_named(kernel, name);
		if (!own || own->fd < 0 || bpf_map__reuse_fd(map, own->fd) != 0)
			return wd_fail(reterr_error, "load", errno, name,
				       "cannot give the map to libbpf");
	}
	return 0;
}

static int choose(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		  struct wd_error *reterr_error)
{
	struct bpf_program *program;

	for (size_t i = 0; i < kernel->program_count; i++) {
		if (!wanted[i])
			continue;
		program = bpf_object__find_program_by_name(object, kernel->programs[i].program);
		if (!program)
			return wd_fail(reterr_error, "object", ENOENT, kernel->programs[i].program,
				       "the object lacks this program");
		bpf_program__set_autoload(program, true);
	}
	return 0;
}

static int load(struct wd_kernel *kernel, struct bpf_object *object, struct wd_error *reterr_error)
{
	char log[WD_LOG_TAIL];
	int err;

	wd_log_clear();
	if (bpf_object__load(object) == 0)
		return 0;
	err = errno;
	wd_log_tail(log, sizeof(log));
	return wd_fail(reterr_error, "load", err, kernel->build, "%s", log);
}

int wd_load_one(struct wd_kernel *kernel, const char *name, int *ret_fd,
		struct wd_error *reterr_error)
{
	struct bpf_object *object = wd_object_open(kernel, reterr_error);
	struct bpf_program *program;

	*ret_fd = -1;
	if (!object)
		return -1;
	if (prepare(kernel, object, reterr_error) != 0)
		goto out;
	program = bpf_object__find_program_by_name(object, name);
	if (!program) {
		wd_fail(reterr_error, "object", ENOENT, name, "the object lacks this program");
		goto out;
	}
	bpf_program__set_autoload(program, true);
	if (load(kernel, object, reterr_error) != 0)
		goto out;
	*ret_fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
	if (*ret_fd < 0)
		wd_fail(reterr_error, "load", errno, name, "no descriptor");
out:
	bpf_object__close(object);
	return *ret_fd < 0 ? -1 : 0;
}

static int take_fds(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		    int *ret_fds, struct wd_error *reterr_error)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		struct bpf_program *program;

		if (!wanted[i])
			continue;
		program = bpf_object__find_program_by_name(object, kernel->programs[i].program);
		ret_fds[i] = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
		if (ret_fds[i] >= 0)
			continue;
		wd_fail(reterr_error, "load", errno, kernel->programs[i].program, "no descriptor");
		for (size_t j = 0; j < i; j++) {
			if (ret_fds[j] >= 0)
				close(ret_fds[j]);
		}
		return -1;
	}
	return 0;
}

static struct bpf_program *resolver_in(struct wd_kernel *kernel, struct bpf_object *object)
{
	if (kernel->resolver.state == WD_PROGRAM_ABSENT)
		return NULL;
	return bpf_object__find_program_by_name(object, kernel->resolver.program);
}

int wd_choose_first(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		    struct wd_error *reterr_error)
{
	struct bpf_program *resolver = resolver_in(kernel, object);
	struct bpf_program *program;

	bpf_object__for_each_program (program, object)
		bpf_program__set_autoload(program, false);
	if (resolver)
		bpf_program__set_autoload(resolver, true);
	return choose(kernel, object, wanted, reterr_error);
}

int wd_take_first(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		  int *ret_fds, struct wd_error *reterr_error)
{
	struct bpf_program *resolver = resolver_in(kernel, object);

	for (size_t i = 0; i < kernel->program_count; i++)
		ret_fds[i] = -1;
	/* Without a descriptor it is loaded by the first question. */
	if (resolver)
		kernel->resolver_fd = fcntl(bpf_program__fd(resolver), F_DUPFD_CLOEXEC, 3);
	return take_fds(kernel, object, wanted, ret_fds, reterr_error);
}

int wd_load_set(struct wd_kernel *kernel, const bool *wanted, int *ret_fds,
		struct wd_error *reterr_error)
{
	struct bpf_object *object = wd_object_open(kernel, reterr_error);
	int result = -1;

	for (size_t i = 0; i < kernel->program_count; i++)
		ret_fds[i] = -1;
	if (!object)
		return -1;
	if (prepare(kernel, object, reterr_error) != 0 ||
	    choose(kernel, object, wanted, reterr_error) != 0 ||
	    load(kernel, object, reterr_error) != 0)
		goto out;
	result = take_fds(kernel, object, wanted, ret_fds, reterr_error);
out:
	bpf_object__close(object);
	return result;
}
