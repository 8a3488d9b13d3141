// SPDX-License-Identifier: Apache-2.0
/*
 * loaded.c - what the programs of this build are on this kernel: their tags and maps.
 *
 * CO-RE makes another program of the same object on each kernel, so only loading tells. It cannot change
 * while the kernel runs and verifying takes long, so it is kept in a map of the build, which no other
 * process can open. A program is loaded here only when the process that attached it died before it had
 * kept the row.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

int wd_read_loaded(int prog_fd, struct wd_loaded *ret_loaded, struct bpf_prog_info *ret_info)
{
	uint32_t length = sizeof(*ret_info);

	memset(ret_loaded, 0, sizeof(*ret_loaded));
	memset(ret_info, 0, sizeof(*ret_info));
	ret_info->nr_map_ids = WD_PROGRAM_MAPS;
	ret_info->map_ids = (uintptr_t)ret_loaded->map_ids;
	if (bpf_obj_get_info_by_fd(prog_fd, ret_info, &length) != 0)
		return -1;
	memcpy(ret_loaded->tag, ret_info->tag, sizeof(ret_loaded->tag));
	/* The kernel says how many there are, also when there are more than asked for. */
	ret_loaded->map_count = ret_info->nr_map_ids;
	return 0;
}

bool wd_is_known(const struct wd_loaded *loaded)
{
	static const struct wd_loaded unknown;

	return memcmp(loaded, &unknown, sizeof(unknown)) != 0;
}

void wd_note_loaded(struct wd_kernel *kernel, struct wd_program *program, int prog_fd)
{
	struct bpf_prog_info info;

	if (wd_read_loaded(prog_fd, &program->loaded, &info) != 0)
		return;
	/* When this fails the next process loads the program once more. */
	bpf_map_update_elem(wd_map_named(kernel, "loaded")->fd, &program->hook_id, &program->loaded,
			    BPF_ANY);
}

static void take_loaded(struct wd_kernel *kernel, struct wd_program *program, int prog_fd)
{
	if (prog_fd < 0)
		return;
	wd_note_loaded(kernel, program, prog_fd);
	close(prog_fd);
}

static bool is_unknown(const struct wd_program *program)
{
	return program->state == WD_PROGRAM_ATTACHED && !wd_is_known(&program->loaded);
}

static void recall(struct wd_kernel *kernel, struct wd_program *program)
{
	if (bpf_map_lookup_elem(wd_map_named(kernel, "loaded")->fd, &program->hook_id,
				&program->loaded) != 0)
		memset(&program->loaded, 0, sizeof(program->loaded));
}

void wd_learn_loaded(struct wd_kernel *kernel)
{
	bool wanted[WD_HOOKS * 2], alone[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];
	struct wd_error error;
	size_t count = 0;

	for (size_t i = 0; i < kernel->program_count; i++) {
		if (is_unknown(&kernel->programs[i]))
			recall(kernel, &kernel->programs[i]);
		wanted[i] = is_unknown(&kernel->programs[i]);
		count += wanted[i];
	}
	if (count == 0)
		return;
	if (wd_load_set(kernel, wanted, fds, &error) == 0) {
		for (size_t i = 0; i < kernel->program_count; i++)
			take_loaded(kernel, &kernel->programs[i], fds[i]);
		return;
	}
	for (size_t i = 0; i < kernel->program_count; i++) {
		memset(alone, 0, sizeof(alone));
		alone[i] = wanted[i];
		if (wanted[i] && wd_load_set(kernel, alone, fds, &error) == 0)
			take_loaded(kernel, &kernel->programs[i], fds[i]);
	}
}
