// SPDX-License-Identifier: Apache-2.0
/*
 * filter.c - the bits of filter.h, computed from the rows of a bank.
 *
 * They are no part of the image: what decides are the rows, and these bits only say where asking
 * them is useless. A bit that is missing would hide a row, so the kernel's copy is compared with
 * what the rows say both when a bank is filled and when it is read back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "internal.h"

static const uint32_t first_slot;

static void set_bit(__u64 *words, uint32_t bit)
{
	words[bit / 64] |= 1ull << (bit % 64);
}

static void add_object(struct wd_filter *filter, const uint8_t *row)
{
	struct wd_identity identity;

	memcpy(&identity, row, sizeof(identity));
	set_bit(filter->objects, wd_filter_object(identity.ino));
}

static void add_name(struct wd_filter *filter, const uint8_t *row)
{
	struct wd_name_key name;
	struct wd_object object;
	uint64_t head;
	uint32_t bit;

	memcpy(&name, row, sizeof(name));
	memcpy(&object, row + sizeof(name), sizeof(object));
	memcpy(&head, name.name, sizeof(head));
	bit = wd_filter_name(name.parent.ino, (uint32_t)strnlen(name.name, sizeof(name.name)),
			     head);
	set_bit(filter->names, bit);
	if (object.tree != 0)
		set_bit(filter->trees, bit);
}

static void add_rows(struct wd_filter *filter, const struct wd_image *image, enum wd_table table,
		     void (*add)(struct wd_filter *, const uint8_t *))
{
	const size_t row_bytes = wd_table_key_bytes(table) + wd_table_value_bytes(table);
	const struct wd_rows *rows = &image->tables[table];

	for (size_t at = 0; at + row_bytes <= rows->length; at += row_bytes)
		add(filter, rows->bytes + at);
}

static struct wd_filter *compute(const struct wd_image *image, struct wd_error *reterr_error)
{
	struct wd_filter *filter = calloc(1, sizeof(*filter));

	if (!filter) {
		wd_fail(reterr_error, "memory", ENOMEM, "filters", "no memory");
		return NULL;
	}
	add_rows(filter, image, WD_TABLE_OBJECTS, add_object);
	add_rows(filter, image, WD_TABLE_NAMES, add_name);
	return filter;
}

/* Whether the map has exactly these bits. */
static int compare(int fd, const struct wd_filter *wanted, struct wd_error *reterr_error)
{
	struct wd_filter *found = malloc(sizeof(*found));
	int result = -1;

	if (!found)
		return wd_fail(reterr_error, "memory", ENOMEM, "filters", "no memory");
	if (bpf_map_lookup_elem(fd, &first_slot, found) != 0)
		wd_fail(reterr_error, "map-read", errno, "filters", "cannot read");
	else if (memcmp(found, wanted, sizeof(*found)) != 0)
		wd_fail(reterr_error, "readback", EIO, "filters", "the kernel has other bits");
	else
		result = 0;
	free(found);
	return result;
}

int wd_make_filter(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
		   int *ret_fd, struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_map_named(kernel, "filters");
	struct wd_filter *filter;
	int fd;

	*ret_fd = -1;
	if (!outer)
		return 0;
	filter = compute(image, reterr_error);
	if (!filter)
		return -1;
	fd = bpf_map_create((enum bpf_map_type)outer->inner_type, "filter", sizeof(first_slot),
			    sizeof(*filter), 1, &outer->inner_opts);
	if (fd < 0) {
		wd_fail(reterr_error, "map-create", errno, "filters", "bank %u", bank);
		goto out;
	}
	if (wd_own_map(kernel, fd, reterr_error) != 0)
		goto close;
	if (bpf_map_update_elem(fd, &first_slot, filter, BPF_ANY) != 0)
		wd_fail(reterr_error, "map-update", errno, "filters", "bank %u", bank);
	else if (bpf_map_freeze(fd) != 0)
		wd_fail(reterr_error, "freeze", errno, "filters", "cannot freeze the map");
	else if (compare(fd, filter, reterr_error) == 0)
		*ret_fd = fd;
close:
	if (*ret_fd < 0)
		close(fd);
out:
	free(filter);
	return *ret_fd < 0 ? -1 : 0;
}

int wd_check_filter(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
		    struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_map_named(kernel, "filters");
	struct wd_filter *filter;
	uint32_t id;
	int fd, result;

	if (!outer)
		return 0;
	fd = wd_inner_fd(outer, bank, &id, reterr_error);
	if (fd < 0)
		return reterr_error->err ? -1
					 : wd_fail(reterr_error, "bank-empty", ENOENT, "filters",
						   "bank %u was not filled", bank);
	filter = compute(image, reterr_error);
	result = filter ? compare(fd, filter, reterr_error) : -1;
	free(filter);
	close(fd);
	return result;
}
