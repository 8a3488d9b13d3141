// SPDX-License-Identifier: Apache-2.0
/*
 * bank.c - fills a bank of a generation aside, and reads banks.
 *
 * Everything that may fail for lack of memory happens on maps that nothing refers to yet. Only
 * complete, frozen, verified maps are stored in the outer maps, and the header is pinned last: a
 * bank without its header pin is unfinished and cannot be committed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static const struct table {
	const char *name;
	size_t key_bytes;
	size_t value_bytes;
} tables[WD_TABLES] = {
	[WD_TABLE_OBJECTS] = { "objects", sizeof(struct wd_identity), sizeof(struct wd_object) },
	[WD_TABLE_NAMES] = { "names", sizeof(struct wd_name_key), sizeof(struct wd_object) },
	[WD_TABLE_LABELS] = { "labels", sizeof(uint32_t), sizeof(struct wd_ruleset) },
	[WD_TABLE_EXEMPT] = { "exempt", sizeof(struct wd_exempt_key), sizeof(uint32_t) },
	[WD_TABLE_GROUPS] = { "groups", sizeof(struct wd_group_key), sizeof(struct wd_group) },
};

size_t wd_table_key_bytes(enum wd_table table)
{
	return tables[table].key_bytes;
}

size_t wd_table_value_bytes(enum wd_table table)
{
	return tables[table].value_bytes;
}

const char *wd_table_name(enum wd_table table)
{
	return tables[table].name;
}

struct wd_map *wd_table_map(struct wd_kernel *kernel, enum wd_table table)
{
	return wd_map_named(kernel, tables[table].name);
}

int wd_check_bank(uint32_t bank, struct wd_error *reterr_error)
{
	if (bank >= WD_BANKS)
		return wd_fail(reterr_error, "argument", 0, "bank", "must be below %d", WD_BANKS);
	return 0;
}

int wd_header_path(struct wd_kernel *kernel, uint32_t bank, char *ret_path, size_t size,
		   struct wd_error *reterr_error)
{
	return wd_join(ret_path, size, reterr_error, "%s/banks/header_%u", kernel->build_dir, bank);
}

static int check_not_committed(struct wd_kernel *kernel, uint32_t bank,
			       struct wd_error *reterr_error)
{
	struct wd_committed committed;

	if (wd_check_bank(bank, reterr_error) != 0 ||
	    wd_read_committed(kernel, &committed, reterr_error) != 0)
		return -1;
	if (committed.present && committed.header.bank == bank)
		return wd_fail(reterr_error, "committed", EBUSY, "bank",
			       "bank %u is in force and is never written", bank);
	return 0;
}

static int check_rows(struct wd_map *outer, const struct wd_rows *rows, const char *name,
		      struct wd_error *reterr_error)
{
	const size_t row_bytes = outer->inner_key_bytes + outer->inner_value_bytes;

	if (rows->length % row_bytes != 0)
		return wd_fail(reterr_error, "argument", EINVAL, name,
			       "%zu bytes are no multiple of the row's %zu", rows->length,
			       row_bytes);
	if (rows->length / row_bytes > INT32_MAX)
		return wd_fail(reterr_error, "argument", E2BIG, name, "too many rows");
	if (outer->inner_type == BPF_MAP_TYPE_ARRAY && rows->length == 0)
		return wd_fail(reterr_error, "argument", EINVAL, name, "needs row 0 at least");
	return 0;
}

/* Compares what the kernel has with what was to be written, both in the order of keys. A repeated
 * key shows here, too: the kernel kept one of the rows. */
static int compare_rows(int fd, const char *name, const struct wd_rows *rows, size_t row_bytes,
			size_t key_bytes, struct wd_error *reterr_error)
{
	struct wd_rows wanted = { malloc(rows->length + 1), rows->length };
	struct wd_rows found = { 0 };
	int result = -1;

	if (!wanted.bytes)
		return wd_fail(reterr_error, "readback", ENOMEM, name, "no memory");
	if (rows->length > 0)
		memcpy(wanted.bytes, rows->bytes, rows->length);
	wd_sort_rows(&wanted, row_bytes, key_bytes);
	if (wd_read_rows(fd, name, &found, reterr_error) != 0)
		goto out;
	if (found.length != wanted.length)
		wd_fail(reterr_error, "readback", EIO, name, "the kernel has %zu rows of %zu",
			found.length / row_bytes, wanted.length / row_bytes);
	else if (memcmp(found.bytes, wanted.bytes, wanted.length) != 0)
		wd_fail(reterr_error, "readback", EIO, name, "the kernel has other bytes");
	else
		result = 0;
out:
	free(found.bytes);
	free(wanted.bytes);
	return result;
}

int wd_make_inner(struct wd_kernel *kernel, struct wd_map *outer, uint32_t bank,
		  const struct wd_rows *rows, struct wd_error *reterr_error)
{
	const size_t row_bytes = outer->inner_key_bytes + outer->inner_value_bytes;
	uint32_t count = (uint32_t)(rows->length / row_bytes);
	char name[BPF_OBJ_NAME_LEN];
	int fd;

	snprintf(name, sizeof(name), "%.11s_%u", outer->name, bank);
	fd = bpf_map_create((enum bpf_map_type)outer->inner_type, name, outer->inner_key_bytes,
			    outer->inner_value_bytes, count > 0 ? count : 1, &outer->inner_opts);
	if (fd < 0)
		return wd_fail(reterr_error, "map-create", errno, name, "%u rows", count);
	if (wd_own_map(kernel, fd, reterr_error) != 0 ||
	    wd_write_rows(fd, name, rows, outer->inner_key_bytes, outer->inner_value_bytes,
			  reterr_error) != 0)
		goto fail;
	if (bpf_map_freeze(fd) != 0) {
		wd_fail(reterr_error, "freeze", errno, name, "cannot freeze the map");
		goto fail;
	}
	if (compare_rows(fd, name, rows, row_bytes, outer->inner_key_bytes, reterr_error) != 0)
		goto fail;
	return fd;
fail:
	close(fd);
	return -1;
}

static int make_header(struct wd_kernel *kernel, uint32_t bank, const struct wd_generation *header,
		       struct wd_error *reterr_error)
{
	uint8_t row[sizeof(uint32_t) + sizeof(*header)] = { 0 }; /* key 0, then the header */
	struct wd_rows rows = { row, sizeof(row) };

	memcpy(row + sizeof(uint32_t), header, sizeof(*header));
	return wd_make_inner(kernel, wd_map_named(kernel, "committed"), bank, &rows, reterr_error);
}

static int unpin_header(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error)
{
	char path[PATH_MAX];

	if (wd_header_path(kernel, bank, path, sizeof(path), reterr_error) != 0)
		return -1;
	if (unlink(path) != 0 && errno != ENOENT)
		return wd_fail(reterr_error, "pin", errno, path, "cannot remove the pin");
	return 0;
}

/* Stores finished maps: fds[0..WD_TABLES) are the tables, the last one is the header. */
static int store(struct wd_kernel *kernel, uint32_t bank, const int *fds, int filter_fd,
		 struct wd_error *reterr_error)
{
	struct wd_map *filters = wd_map_named(kernel, "filters");
	char path[PATH_MAX];

	if (unpin_header(kernel, bank, reterr_error) != 0)
		return -1;
	for (int i = 0; i < WD_TABLES; i++) {
		if (bpf_map_update_elem(wd_table_map(kernel, i)->fd, &bank, &fds[i], BPF_ANY) != 0)
			return wd_fail(reterr_error, "outer-update", errno, tables[i].name,
				       "bank %u", bank);
	}
	if (filters && bpf_map_update_elem(filters->fd, &bank, &filter_fd, BPF_ANY) != 0)
		return wd_fail(reterr_error, "outer-update", errno, filters->name, "bank %u", bank);
	if (wd_header_path(kernel, bank, path, sizeof(path), reterr_error) != 0)
		return -1;
	if (bpf_obj_pin(fds[WD_TABLES], path) != 0)
		return wd_fail(reterr_error, "pin", errno, path, "cannot pin the header");
	return 0;
}

int wd_fill(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
	    struct wd_error *reterr_error)
{
	int fds[WD_TABLES + 1] = { -1, -1, -1, -1, -1, -1 };
	int filter_fd = -1;
	int result = -1;

	wd_rest(kernel);
	if (check_not_committed(kernel, bank, reterr_error) != 0)
		return -1;
	if (image->header.bank != bank || image->header.generation == 0)
		return wd_fail(reterr_error, "argument", EINVAL, "header",
			       "names bank %u and generation %llu, to be filled is bank %u",
			       image->header.bank, (unsigned long long)image->header.generation,
			       bank);
	for (int i = 0; i < WD_TABLES; i++) {
		struct wd_map *outer = wd_table_map(kernel, i);

		if (check_rows(outer, &image->tables[i], tables[i].name, reterr_error) != 0)
			goto out;
		fds[i] = wd_make_inner(kernel, outer, bank, &image->tables[i], reterr_error);
		if (fds[i] < 0)
			goto out;
	}
	if (wd_make_filter(kernel, bank, image, &filter_fd, reterr_error) != 0)
		goto out;
	fds[WD_TABLES] = make_header(kernel, bank, &image->header, reterr_error);
	if (fds[WD_TABLES] >= 0)
		result = store(kernel, bank, fds, filter_fd, reterr_error);
	/* The maps that were in this bank are gone. */
	if (result == 0)
		result = wd_own_everything(kernel, reterr_error);
out:
	if (filter_fd >= 0)
		close(filter_fd);
	for (int i = 0; i <= WD_TABLES; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return result;
}

int wd_clear(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error)
{
	struct wd_map *filters = wd_map_named(kernel, "filters");

	if (check_not_committed(kernel, bank, reterr_error) != 0 ||
	    unpin_header(kernel, bank, reterr_error) != 0)
		return -1;
	for (int i = 0; i < WD_TABLES; i++) {
		if (bpf_map_delete_elem(wd_table_map(kernel, i)->fd, &bank) != 0 && errno != ENOENT)
			return wd_fail(reterr_error, "outer-update", errno, tables[i].name,
				       "bank %u", bank);
	}
	if (filters && bpf_map_delete_elem(filters->fd, &bank) != 0 && errno != ENOENT)
		return wd_fail(reterr_error, "outer-update", errno, filters->name, "bank %u", bank);
	return 0;
}
