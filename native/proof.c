// SPDX-License-Identifier: Apache-2.0
/*
 * proof.c - facts for attach proof, read from the pins and the kernel each time.
 *
 * The pins are opened anew: a link that only this process still holds would end with it. The
 * expected tag is that of the same program as this process loaded it, because CO-RE makes another
 * program of the same object on each kernel. It cannot change while the kernel runs and verifying
 * takes long, so it is kept in a map of the build, which no other process can open. A program is loaded
 * here only when the process that attached it died before it had kept the tag.
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

static int read_program(int fd, struct bpf_prog_info *ret_info)
{
	uint32_t length = sizeof(*ret_info);

	memset(ret_info, 0, sizeof(*ret_info));
	return bpf_obj_get_info_by_fd(fd, ret_info, &length);
}

static void read_attached(const struct btf *btf, uint32_t prog_id, struct wd_proof *proof)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info;
	const struct btf_type *type;

	if (fd < 0)
		return;
	if (read_program(fd, &info) == 0) {
		type = btf__type_by_id(btf, info.attach_btf_id);
		if (type && btf_is_func(type))
			snprintf(proof->attached_to, sizeof(proof->attached_to), "%s",
				 btf__name_by_offset(btf, type->name_off));
		to_hex(info.tag, proof->tag);
		proof->recursion_misses = info.recursion_misses;
		proof->run_count = info.run_cnt;
	}
	close(fd);
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
		proof->link_id = info.id;
		proof->prog_id = info.prog_id;
		read_attached(btf, info.prog_id, proof);
	}
	close(fd);
}

void wd_note_tag(struct wd_kernel *kernel, struct wd_program *program, int prog_fd)
{
	struct wd_map *tags = wd_map_named(kernel, "tags");
	struct bpf_prog_info info;

	if (read_program(prog_fd, &info) != 0)
		return;
	to_hex(info.tag, program->tag);
	/* When this fails the next process loads the program once more. */
	bpf_map_update_elem(tags->fd, &program->hook_id, info.tag, BPF_ANY);
}

static void take_tag(struct wd_kernel *kernel, struct wd_program *program, int prog_fd)
{
	if (prog_fd < 0)
		return;
	wd_note_tag(kernel, program, prog_fd);
	close(prog_fd);
}

static void recall_tag(struct wd_kernel *kernel, struct wd_program *program)
{
	static const uint8_t unknown[BPF_TAG_SIZE];
	struct wd_map *tags = wd_map_named(kernel, "tags");
	uint8_t tag[BPF_TAG_SIZE];

	if (bpf_map_lookup_elem(tags->fd, &program->hook_id, tag) == 0 &&
	    memcmp(tag, unknown, sizeof(tag)) != 0)
		to_hex(tag, program->tag);
}

static bool lacks_tag(const struct wd_program *program)
{
	return program->state == WD_PROGRAM_ATTACHED && program->tag[0] == '\0';
}

/* Of what was adopted: as it was kept, or by loading it without attaching it. */
static void learn_tags(struct wd_kernel *kernel)
{
	bool wanted[WD_HOOKS * 2], alone[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];
	struct wd_error error;
	size_t count = 0;

	for (size_t i = 0; i < kernel->program_count; i++) {
		if (lacks_tag(&kernel->programs[i]))
			recall_tag(kernel, &kernel->programs[i]);
		wanted[i] = lacks_tag(&kernel->programs[i]);
		count += wanted[i];
	}
	if (count == 0)
		return;
	if (wd_load_set(kernel, wanted, fds, &error) == 0) {
		for (size_t i = 0; i < kernel->program_count; i++)
			take_tag(kernel, &kernel->programs[i], fds[i]);
		return;
	}
	for (size_t i = 0; i < kernel->program_count; i++) {
		memset(alone, 0, sizeof(alone));
		alone[i] = wanted[i];
		if (wanted[i] && wd_load_set(kernel, alone, fds, &error) == 0)
			take_tag(kernel, &kernel->programs[i], fds[i]);
	}
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
	learn_tags(kernel);
	for (size_t i = 0; i < kernel->program_count; i++) {
		proof[i].program = &kernel->programs[i];
		strcpy(proof[i].expected_tag, kernel->programs[i].tag);
		if (kernel->programs[i].state == WD_PROGRAM_ATTACHED)
			read_link(kernel, btf, &proof[i]);
	}
	btf__free(btf);
	*ret_proof = proof;
	*ret_count = kernel->program_count;
	return 0;
}
