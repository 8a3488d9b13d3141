// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * run.c - judges the requests of a vector pack in the kernel, by BPF_PROG_TEST_RUN of decide_test.
 *
 * usage: decide_kernel PACK...
 *
 * The maps are filled as the loader fills them: inner maps aside, frozen, put into a bank, and then
 * one update of committed[0]. Needs root; attaches nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../pack.h"

static void fail(const char *what)
{
	fprintf(stderr, "error: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int print_warnings(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int create(enum bpf_map_type type, const char *name, __u32 key, __u32 value, __u32 entries,
		  __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	int fd = bpf_map_create(type, name, key, value, entries ? entries : 1, &options);

	if (fd < 0)
		fail(name);
	return fd;
}

static void put(int fd, const void *key, const void *value)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		fail("update of an inner map");
}

/* Freezes a filled inner map and puts it into the outer map `name` at `index`. */
static void seal(struct bpf_object *object, const char *name, __u32 index, int fd)
{
	int outer = bpf_object__find_map_fd_by_name(object, name);

	if (outer < 0 || bpf_map_freeze(fd) || bpf_map_update_elem(outer, &index, &fd, BPF_ANY))
		fail(name);
	close(fd);
}

static void fill(struct bpf_object *object, const struct wd_pack *pack)
{
	const struct wd_pack_head *head = &pack->head;
	__u32 bank = pack->generation->bank;
	__u32 zero = 0;
	int fd;

	fd = create(BPF_MAP_TYPE_HASH, "objects", sizeof(struct wd_identity),
		    sizeof(struct wd_object), head->objects, BPF_F_RDONLY_PROG);
	for (__u32 i = 0; i < head->objects; i++)
		put(fd, &pack->objects[i].key, &pack->objects[i].value);
	seal(object, "objects", bank, fd);

	fd = create(BPF_MAP_TYPE_HASH, "names", sizeof(struct wd_name_key),
		    sizeof(struct wd_object), head->names, BPF_F_RDONLY_PROG);
	for (__u32 i = 0; i < head->names; i++)
		put(fd, &pack->names[i].key, &pack->names[i].value);
	seal(object, "names", bank, fd);

	fd = create(BPF_MAP_TYPE_ARRAY, "labels", sizeof(__u32), sizeof(struct wd_ruleset),
		    head->labels, BPF_F_RDONLY_PROG | BPF_F_INNER_MAP);
	for (__u32 i = 0; i < head->labels; i++)
		put(fd, &i, &pack->labels[i]);
	seal(object, "labels", bank, fd);

	fd = create(BPF_MAP_TYPE_HASH, "exempt", sizeof(struct wd_exempt_key), sizeof(__u32),
		    head->exempt, BPF_F_RDONLY_PROG);
	for (__u32 i = 0; i < head->exempt; i++)
		put(fd, &pack->exempt[i].key, &pack->exempt[i].label);
	seal(object, "exempt", bank, fd);

	fd = create(BPF_MAP_TYPE_HASH, "groups", sizeof(struct wd_group_key),
		    sizeof(struct wd_group), head->groups, BPF_F_RDONLY_PROG);
	for (__u32 i = 0; i < head->groups; i++)
		put(fd, &pack->groups[i].key, &pack->groups[i].value);
	seal(object, "groups", bank, fd);

	fd = create(BPF_MAP_TYPE_ARRAY, "generation", sizeof(__u32), sizeof(struct wd_generation),
		    1, BPF_F_RDONLY_PROG);
	put(fd, &zero, pack->generation);
	seal(object, "committed", 0, fd);
}

static void judge(const struct bpf_program *program, struct wd_pack *pack)
{
	for (__u32 i = 0; i < pack->head.requests; i++) {
		struct wd_test_request *request = &pack->requests[i];
		/* A syscall program's context is written back to where it came from. */
		LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = request,
			    .ctx_size_in = sizeof(*request));

		if (!program || bpf_prog_test_run_opts(bpf_program__fd(program), &run) ||
		    run.retval)
			fail("test run");
		wd_pack_print(&request->verdict);
	}
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct wd_pack pack;

	libbpf_set_print(print_warnings);
	object = bpf_object__open_file(WD_TEST_OBJECT, NULL);
	if (!object)
		fail(WD_TEST_OBJECT);
	if (bpf_object__load(object))
		fail("load");
	for (int i = 1; i < argc; i++) {
		wd_pack_read(&pack, argv[i]);
		fill(object, &pack);
		judge(bpf_object__find_program_by_name(object, "decide_test"), &pack);
		wd_pack_free(&pack);
	}
	bpf_object__close(object);
	return 0;
}
