// SPDX-License-Identifier: Apache-2.0
/*
 * rows.c - rows of inner maps as bytes: key||value, one after the other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static int compare_keys(const void *left, const void *right, void *key_bytes)
{
	return memcmp(left, right, *(size_t *)key_bytes);
}

void wd_sort_rows(struct wd_rows *rows, size_t row_bytes, size_t key_bytes)
{
	if (rows->length > 0)
		qsort_r(rows->bytes, rows->length / row_bytes, row_bytes, compare_keys, &key_bytes);
}

/* bpf(2) wants keys and values apart. */
struct columns {
	uint8_t *keys;
	uint8_t *values;
};

static int allocate_columns(struct columns *columns, size_t count, size_t key_bytes,
			    size_t value_bytes)
{
	columns->keys = calloc(count, key_bytes);
	columns->values = calloc(count, value_bytes);
	return columns->keys && columns->values ? 0 : -1;
}

static void free_columns(struct columns *columns)
{
	free(columns->keys);
	free(columns->values);
}

int wd_write_rows(int fd, const char *object, const struct wd_rows *rows, uint32_t key_bytes,
		  uint32_t value_bytes, struct wd_error *reterr_error)
{
	const size_t row_bytes = key_bytes + value_bytes;
	const uint32_t wanted = (uint32_t)(rows->length / row_bytes);
	struct columns columns = { 0 };
	uint32_t count = wanted;
	int result = 0;

	if (wanted == 0)
		return 0;
	if (allocate_columns(&columns, wanted, key_bytes, value_bytes) != 0) {
		free_columns(&columns);
		return wd_fail(reterr_error, "map-update", ENOMEM, object, "no memory");
	}
	for (size_t i = 0; i < wanted; i++) {
		const uint8_t *row = rows->bytes + i * row_bytes;

		memcpy(columns.keys + i * key_bytes, row, key_bytes);
		memcpy(columns.values + i * value_bytes, row + key_bytes, value_bytes);
	}
	if (bpf_map_update_batch(fd, columns.keys, columns.values, &count, NULL) != 0)
		result = wd_fail(reterr_error, "map-update", errno, object, "wrote %u of %u rows",
				 count, wanted);
	free_columns(&columns);
	return result;
}

/* Reads everything in as many batches as the kernel makes of it. */
static int read_columns(int fd, const char *object, const struct bpf_map_info *info,
			struct columns *columns, uint32_t *ret_count, struct wd_error *reterr_error)
{
	uint64_t position = 0; /* opaque to us: a bucket of a hash, an index of an array */
	uint32_t total = 0;

	for (;;) {
		uint32_t count = info->max_entries - total;
		int result = bpf_map_lookup_batch(
			fd, total ? &position : NULL, &position,
			columns->keys + (size_t)total * info->key_size,
			columns->values + (size_t)total * info->value_size, &count, NULL);
		int err = errno;

		if (result != 0 && err != ENOENT)
			return wd_fail(reterr_error, "map-read", err, object, "after %u rows",
				       total);
		total += count;
		/* ENOENT says that the end was reached, and count is valid then, too. */
		if (result != 0 || count == 0 || total == info->max_entries)
			break;
	}
	*ret_count = total;
	return 0;
}

static int join_columns(const struct bpf_map_info *info, const struct columns *columns,
			uint32_t count, struct wd_rows *ret_rows)
{
	const size_t row_bytes = info->key_size + info->value_size;

	ret_rows->length = count * row_bytes;
	ret_rows->bytes = malloc(ret_rows->length ? ret_rows->length : 1);
	if (!ret_rows->bytes)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint8_t *row = ret_rows->bytes + i * row_bytes;

		memcpy(row, columns->keys + i * info->key_size, info->key_size);
		memcpy(row + info->key_size, columns->values + i * info->value_size,
		       info->value_size);
	}
	wd_sort_rows(ret_rows, row_bytes, info->key_size);
	return 0;
}

int wd_read_rows(int fd, const char *object, struct wd_rows *ret_rows,
		 struct wd_error *reterr_error)
{
	struct bpf_map_info info = { 0 };
	uint32_t length = sizeof(info), count = 0;
	struct columns columns = { 0 };
	int result = -1;

	if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
		return wd_fail(reterr_error, "map-read", errno, object, "no information");
	if (allocate_columns(&columns, info.max_entries, info.key_size, info.value_size) != 0)
		wd_fail(reterr_error, "map-read", ENOMEM, object, "no memory");
	else if (read_columns(fd, object, &info, &columns, &count, reterr_error) == 0 &&
		 (result = join_columns(&info, &columns, count, ret_rows)) != 0)
		wd_fail(reterr_error, "map-read", ENOMEM, object, "no memory");
	free_columns(&columns);
	return result;
}
