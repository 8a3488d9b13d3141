// SPDX-License-Identifier: Apache-2.0
/*
 * commit.c - makes a bank current, and says what is current, as the kernel has it.
 *
 * The hooks are not sleepable, so the update of `committed` returns only after the last reader of
 * the generation before (the kernel waits for a grace period in map-in-map updates).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static const uint32_t first_slot;

int wd_inner_fd(struct wd_map *outer, uint32_t index, uint32_t *ret_id,
		struct wd_error *reterr_error)
{
	int fd;

	reterr_error->err = 0;
	*ret_id = 0;
	if (bpf_map_lookup_elem(outer->fd, &index, ret_id) != 0) {
		if (errno != ENOENT)
			wd_fail(reterr_error, "map-read", errno, outer->name, "slot %u", index);
		return -1;
	}
	fd = bpf_map_get_fd_by_id(*ret_id);
	if (fd < 0)
		wd_fail(reterr_error, "map-read", errno, outer->name, "map id %u", *ret_id);
	return fd;
}

static int read_header(int fd, struct wd_generation *ret_header, struct wd_error *reterr_error)
{
	if (bpf_map_lookup_elem(fd, &first_slot, ret_header) != 0)
		return wd_fail(reterr_error, "map-read", errno, "header", "cannot read");
	return 0;
}

/* Descriptor of the header kept aside for a bank; -1 with err 0 when there is none. */
static int kept_header_fd(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error)
{
	char path[PATH_MAX];
	int fd;

	reterr_error->err = 0;
	if (wd_header_path(kernel, bank, path, sizeof(path), reterr_error) != 0)
		return -1;
	fd = bpf_obj_get(path);
	if (fd < 0 && errno != ENOENT)
		wd_fail(reterr_error, "pin", errno, path, "cannot open the pin");
	return fd;
}

int wd_read_bank_ids(struct wd_kernel *kernel, uint32_t bank, struct wd_bank_ids *ret_ids,
		     struct wd_error *reterr_error)
{
	struct bpf_map_info info = { 0 };
	uint32_t length = sizeof(info);
	int fd;

	memset(ret_ids, 0, sizeof(*ret_ids));
	if (wd_check_bank(bank, reterr_error) != 0)
		return -1;
	for (int i = 0; i < WD_TABLES; i++) {
		struct wd_map *outer = wd_table_map(kernel, i);

		if (bpf_map_lookup_elem(outer->fd, &bank, &ret_ids->tables[i]) != 0 &&
		    errno != ENOENT)
			return wd_fail(reterr_error, "map-read", errno, outer->name, "bank %u",
				       bank);
	}
	fd = kept_header_fd(kernel, bank, reterr_error);
	if (fd < 0)
		return reterr_error->err == 0 ? 0 : -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0)
		ret_ids->header = info.id;
	close(fd);
	return 0;
}

int wd_read_committed(struct wd_kernel *kernel, struct wd_committed *ret_committed,
		      struct wd_error *reterr_error)
{
	uint32_t header_id;
	int fd, result;

	memset(ret_committed, 0, sizeof(*ret_committed));
	fd = wd_inner_fd(wd_map_named(kernel, "committed"), first_slot, &header_id, reterr_error);
	if (fd < 0)
		return reterr_error->err == 0 ? 0 : -1;
	result = read_header(fd, &ret_committed->header, reterr_error);
	close(fd);
	if (result != 0 || wd_read_bank_ids(kernel, ret_committed->header.bank, &ret_committed->ids,
					    reterr_error) != 0)
		return -1;
	ret_committed->present = true;
	ret_committed->ids.header = header_id; /* what is in force, not what is kept aside */
	return 0;
}

int wd_commit(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error)
{
	struct wd_map *committed = wd_map_named(kernel, "committed");
	struct wd_generation header;
	struct wd_bank_ids ids;
	int fd, result = -1;

	if (wd_read_bank_ids(kernel, bank, &ids, reterr_error) != 0)
		return -1;
	for (int i = 0; i < WD_TABLES; i++) {
		if (ids.tables[i] == 0)
			return wd_fail(reterr_error, "bank-empty", ENOENT, wd_table_name(i),
				       "bank %u was not filled", bank);
	}
	fd = kept_header_fd(kernel, bank, reterr_error);
	if (fd < 0)
		return reterr_error->err ? -1
					 : wd_fail(reterr_error, "bank-empty", ENOENT, "header",
						   "bank %u was not filled", bank);
	if (read_header(fd, &header, reterr_error) != 0)
		goto out;
	if (header.bank != bank || header.generation == 0) {
		wd_fail(reterr_error, "bank-empty", EINVAL, "header", "names bank %u", header.bank);
		goto out;
	}
	if (wd_attach_demanded(kernel, &header, reterr_error) != 0)
		goto out;
	/* The one write that changes what is enforced. */
	result = bpf_map_update_elem(committed->fd, &first_slot, &fd, BPF_ANY);
	if (result != 0)
		wd_fail(reterr_error, "commit", errno, committed->name, "bank %u", bank);
	else
		wd_detach_idle(kernel, &header);
out:
	close(fd);
	return result;
}

static int read_table(struct wd_kernel *kernel, enum wd_table table, uint32_t bank,
		      struct wd_rows *ret_rows, struct wd_error *reterr_error)
{
	struct wd_map *outer = wd_table_map(kernel, table);
	uint32_t id;
	int fd = wd_inner_fd(outer, bank, &id, reterr_error);
	int result;

	if (fd < 0 && reterr_error->err == 0)
		return wd_fail(reterr_error, "bank-empty", ENOENT, outer->name,
			       "bank %u was not filled", bank);
	if (fd < 0)
		return -1;
	result = wd_read_rows(fd, outer->name, ret_rows, reterr_error);
	close(fd);
	return result;
}

int wd_read_back(struct wd_kernel *kernel, uint32_t bank, struct wd_image *ret_image,
		 struct wd_error *reterr_error)
{
	int fd, result;

	memset(ret_image, 0, sizeof(*ret_image));
	if (wd_check_bank(bank, reterr_error) != 0)
		return -1;
	fd = kept_header_fd(kernel, bank, reterr_error);
	if (fd < 0)
		return reterr_error->err ? -1
					 : wd_fail(reterr_error, "bank-empty", ENOENT, "header",
						   "bank %u was not filled", bank);
	result = read_header(fd, &ret_image->header, reterr_error);
	close(fd);
	for (int i = 0; result == 0 && i < WD_TABLES; i++)
		result = read_table(kernel, i, bank, &ret_image->tables[i], reterr_error);
	if (result == 0)
		result = wd_check_filter(kernel, bank, ret_image, reterr_error);
	if (result != 0)
		wd_image_free(ret_image);
	return result;
}

void wd_image_free(struct wd_image *image)
{
	for (int i = 0; i < WD_TABLES; i++) {
		free(image->tables[i].bytes);
		image->tables[i].bytes = NULL;
		image->tables[i].length = 0;
	}
}
