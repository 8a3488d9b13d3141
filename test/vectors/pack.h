/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pack.h - reads a vector pack: one generation and many requests, in the layouts of abi.h.
 *
 * Counts are checked against the size of the file, exactly; nothing else of it is trusted to be
 * sane, that is for the code under test.
 */
#ifndef WD_PACK_H
#define WD_PACK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#define WD_PACK_MAGIC 0x57445650u
#define WD_PACK_BYTES_MAX (256u << 20)

struct wd_pack_head {
	__u32 magic;
	__u32 version;
	__u32 objects;
	__u32 names;
	__u32 labels;
	__u32 exempt;
	__u32 groups;
	__u32 requests;
};

struct wd_pack_object {
	struct wd_identity key;
	struct wd_object value;
};

struct wd_pack_name {
	struct wd_name_key key;
	struct wd_object value;
};

struct wd_pack_exempt {
	struct wd_exempt_key key;
	__u32 label;
};

struct wd_pack_group {
	struct wd_group_key key;
	struct wd_group value;
};

struct wd_pack {
	struct wd_pack_head head;
	struct wd_generation *generation;
	struct wd_pack_object *objects;
	struct wd_pack_name *names;
	struct wd_ruleset *labels;
	struct wd_pack_exempt *exempt;
	struct wd_pack_group *groups;
	struct wd_test_request *requests;
};

static void wd_pack_fail(const char *what)
{
	fprintf(stderr, "error: vector pack: %s\n", what);
	exit(2);
}

/* Each table gets memory of its own, so that a sanitizer sees a step beyond its end. */
static void *wd_pack_take(FILE *file, size_t count, size_t size)
{
	void *memory;

	if (count > WD_PACK_BYTES_MAX / size)
		wd_pack_fail("a table is too large");
	memory = calloc(count ? count : 1, size);
	if (!memory)
		wd_pack_fail("out of memory");
	if (count && fread(memory, size, count, file) != count)
		wd_pack_fail("the file ends early");
	return memory;
}

static void wd_pack_read(struct wd_pack *pack, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct wd_pack_head *head = &pack->head;

	if (!file)
		wd_pack_fail("cannot open the file");
	if (fread(head, sizeof(*head), 1, file) != 1)
		wd_pack_fail("the file ends early");
	if (head->magic != WD_PACK_MAGIC)
		wd_pack_fail("not a vector pack");
	if (head->version != WD_ABI_VERSION)
		wd_pack_fail("of another ABI version");
	pack->generation = wd_pack_take(file, 1, sizeof(*pack->generation));
	pack->objects = wd_pack_take(file, head->objects, sizeof(*pack->objects));
	pack->names = wd_pack_take(file, head->names, sizeof(*pack->names));
	pack->labels = wd_pack_take(file, head->labels, sizeof(*pack->labels));
	pack->exempt = wd_pack_take(file, head->exempt, sizeof(*pack->exempt));
	pack->groups = wd_pack_take(file, head->groups, sizeof(*pack->groups));
	pack->requests = wd_pack_take(file, head->requests, sizeof(*pack->requests));
	if (fgetc(file) != EOF)
		wd_pack_fail("bytes after the last request");
	fclose(file);
}

static void wd_pack_print(const struct wd_verdict *verdict)
{
	printf("{\"action\":%u,\"rule\":%u,\"reason\":%u,\"ret\":%d}\n", verdict->action,
	       verdict->rule, verdict->reason, verdict->ret);
}

static void wd_pack_free(struct wd_pack *pack)
{
	free(pack->generation);
	free(pack->objects);
	free(pack->names);
	free(pack->labels);
	free(pack->exempt);
	free(pack->groups);
	free(pack->requests);
}

#endif
