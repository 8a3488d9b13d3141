// SPDX-License-Identifier: Apache-2.0
/*
 * proof.c - facts for attach proof, read from the pins and the kernel each time.
 *
 * The pins are opened anew: a link that only this process still holds would end with it. What a
 * program must be is what was loaded (loaded.c); the tag alone would not do, because a program of the
 * same object that looks into maps of its own has the same one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static void to_hex(const uint8_t tag[BPF_TAG_SIZE], char ret_hex[WD_TAG_HEX])
{
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", tag[i]);
}

static bool same_maps(const struct wd_loaded *expected, const struct wd_loaded *found)
{
	return found->map_count == expected->map_count && found->map_count <= WD_PROGRAM_MAPS &&
	       memcmp(found->map_ids, expected->map_ids, sizeof(found->map_ids)) == 0;
}

static void read_attached(const struct btf *btf, uint32_t prog_id, struct wd_proof *proof)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info;
	struct wd_loaded found;
	const struct btf_type *type;

	if (fd < 0)
		return;
	if (wd_read_loaded(fd, &found, &info) == 0) {
		proof->lsm = proof->lsm && info.type == BPF_PROG_TYPE_LSM;
		proof->maps = same_maps(&proof->program->loaded, &found);
		type = btf__type_by_id(btf, info.attach_btf_id);
		if (type && btf_is_func(type))
			snprintf(proof->attached_to, sizeof(proof->attached_to), "%s",
				 btf__name_by_offset(btf, type->name_off));
		to_hex(found.tag, proof->tag);
		proof->recursion_misses = info.recursion_misses;
		proof->run_count = info.run_cnt;
	}
	close(fd);
}

static uint32_t own_link(const struct wd_program *program)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(program->link_fd, &info, &length) == 0 ? info.id : 0;
}

static void read_link(struct wd_kernel *kernel, const struct btf *btf, struct wd_proof *proof)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);
	struct wd_error error;
	char path[PATH_MAX];
	int fd;

	if (wd_join(path, sizeof(path), &error, "%s/links/%s", kernel->build_dir,
		    proof->program->program) != 0)
		return;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && info.type == BPF_LINK_TYPE_TRACING) {
		proof->pinned = true;
		proof->own = info.id == own_link(proof->program);
		/* Other program types attach to the same BTF function and cannot refuse. */
		proof->lsm = info.tracing.attach_type == BPF_LSM_MAC;
		proof->link_id = info.id;
		proof->prog_id = info.prog_id;
		read_attached(btf, info.prog_id, proof);
	}
	close(fd);
}

int wd_read_proof(struct wd_kernel *kernel, struct wd_proof **ret_proof, size_t *ret_count,
		  struct wd_error *reterr_error)
{
	struct wd_proof *proof = calloc(kernel->program_count + 1, sizeof(*proof));
	struct btf *btf = btf__load_vmlinux_btf();

	if (!proof || !btf) {
		wd_fail(reterr_error, proof ? "btf" : "memory", errno, "/sys/kernel/btf/vmlinux",
			"cannot read the kernel's types");
		free(proof);
		btf__free(btf);
		return -1;
	}
	wd_learn_loaded(kernel);
	for (size_t i = 0; i < kernel->program_count; i++) {
		proof[i].program = &kernel->programs[i];
		if (wd_is_known(&kernel->programs[i].loaded))
			to_hex(kernel->programs[i].loaded.tag, proof[i].expected_tag);
		if (kernel->programs[i].state == WD_PROGRAM_ATTACHED)
			read_link(kernel, btf, &proof[i]);
	}
	btf__free(btf);
	*ret_proof = proof;
	*ret_count = kernel->program_count;
	return 0;
}

static bool leads_to(const char *path, const struct wd_map *map)
{
	struct bpf_map_info own, found;
	int fd = bpf_obj_get(path);
	bool same;

	if (fd < 0)
		return false;
	/* A link or a program may lie under the name of a map: it answers other information. */
	same = wd_read_map_info(fd, &found) == 0 && wd_read_map_info(map->fd, &own) == 0 &&
	       found.id == own.id && strcmp(found.name, own.name) == 0;
	close(fd);
	return same;
}

int wd_read_map_proof(struct wd_kernel *kernel, struct wd_map_proof **ret_proof, size_t *ret_count,
		      struct wd_error *reterr_error)
{
	struct wd_map_proof *proof = calloc(kernel->map_count + 1, sizeof(*proof));
	struct wd_error error;
	char path[PATH_MAX];

	if (!proof)
		return wd_fail(reterr_error, "memory", ENOMEM, "maps", "no memory");
	for (size_t i = 0; i < kernel->map_count; i++) {
		const struct wd_map *map = &kernel->maps[i];

		proof[i].map = map->name;
		proof[i].pinned = wd_join(path, sizeof(path), &error, "%s/maps/%s",
					  kernel->build_dir, map->name) == 0 &&
				  leads_to(path, map);
	}
	*ret_proof = proof;
	*ret_count = kernel->map_count;
	return 0;
}
