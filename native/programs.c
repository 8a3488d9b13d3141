// SPDX-License-Identifier: Apache-2.0
/*
 * programs.c - which programs this kernel gets, and attaching them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "programs.h"

/* One entry per hook: the variant for this kernel, or why there is none. */
int wd_choose_programs(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return wd_fail(reterr_error, "btf", errno, "/sys/kernel/btf/vmlinux",
			       "the kernel does not describe its types");
	for (size_t i = 0; i < wd_spec_count; i++) {
		const struct wd_program_spec *spec = &wd_specs[i];
		struct wd_program *program = spec->needs & WD_NEED_WHILE_ASKED
						     ? &kernel->resolver
						     : &kernel->programs[kernel->program_count];
		int nargs;

		if (!wd_spec_is_first(i))
			continue;
		nargs = wd_hook_nargs(btf, spec->hook);
		if (wd_spec_for(spec->hook, nargs))
			spec = wd_spec_for(spec->hook, nargs);
		program->program = spec->program;
		program->hook = spec->hook;
		program->hook_id = spec->hook_id;
		program->needs = spec->needs;
		program->link_fd = -1;
		program->state = spec->nargs == nargs ? WD_PROGRAM_UNSET : WD_PROGRAM_ABSENT;
		if (program != &kernel->resolver)
			kernel->program_count++;
	}
	btf__free(btf);
	return 0;
}

static bool is_on_demand(const struct wd_program *program)
{
	return program->needs & WD_NEED_ON_DEMAND;
}

/* A program that programs.h lists and the object lacks is absent as well. */
void wd_check_programs(struct wd_kernel *kernel, struct bpf_object *object)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if (!bpf_object__find_program_by_name(object, program->program))
			program->state = WD_PROGRAM_ABSENT;
		else if (program->state == WD_PROGRAM_UNSET && is_on_demand(program))
			program->state = WD_PROGRAM_IDLE;
	}
}

static void reject(struct wd_program *program, const struct wd_error *error)
{
	program->state = WD_PROGRAM_REJECTED;
	program->err = error->err;
	snprintf(program->step, sizeof(program->step), "%s", error->code);
	free(program->log);
	program->log = strdup(error->detail);
}

/* Attaches and pins one loaded program. Consumes prog_fd. */
static void attach(struct wd_kernel *kernel, struct wd_program *program, int prog_fd,
		   const char *dir)
{
	struct wd_error error;
	char path[PATH_MAX];
	int link_fd;

	wd_note_loaded(kernel, program, prog_fd);
	link_fd = bpf_link_create(prog_fd, 0, BPF_LSM_MAC, NULL);
	if (link_fd < 0)
		wd_fail(&error, "attach", errno, program->program, "%s",
			"cannot attach the program");
	close(prog_fd);
	if (link_fd < 0) {
		reject(program, &error);
		return;
	}
	if (wd_join(path, sizeof(path), &error, "%s/links/%s", dir, program->program) == 0) {
		if (bpf_obj_pin(link_fd, path) == 0) {
			program->state = WD_PROGRAM_ATTACHED;
			program->link_fd = link_fd;
			return;
		}
		wd_fail(&error, "pin", errno, path, "cannot pin the link");
	}
	close(link_fd);
	reject(program, &error);
}

void wd_attach_loaded(struct wd_kernel *kernel, const bool *wanted, const int *fds, const char *dir)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		if (wanted[i])
			attach(kernel, &kernel->programs[i], fds[i], dir);
	}
}

size_t wd_count_pending(const struct wd_kernel *kernel, bool *ret_wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < kernel->program_count; i++) {
		ret_wanted[i] = kernel->programs[i].state == WD_PROGRAM_UNSET;
		count += ret_wanted[i];
	}
	return count;
}

/* One by one, so that a program which the verifier rejects does not take the rest with it. */
void wd_attach_singly(struct wd_kernel *kernel, const char *dir)
{
	bool wanted[WD_HOOKS * 2], alone[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];
	struct wd_error error;

	wd_count_pending(kernel, wanted);
	for (size_t i = 0; i < kernel->program_count; i++) {
		if (!wanted[i])
			continue;
		memset(alone, 0, sizeof(alone));
		alone[i] = true;
		if (wd_load_set(kernel, alone, fds, &error) == 0)
			attach(kernel, &kernel->programs[i], fds[i], dir);
		else
			reject(&kernel->programs[i], &error);
	}
}

void wd_attach_pending(struct wd_kernel *kernel, const char *dir)
{
	bool wanted[WD_HOOKS * 2];
	int fds[WD_HOOKS * 2];
	struct wd_error error;

	if (wd_count_pending(kernel, wanted) == 0)
		return;
	if (wd_load_set(kernel, wanted, fds, &error) == 0)
		wd_attach_loaded(kernel, wanted, fds, dir);
	else
		wd_attach_singly(kernel, dir);
}

static bool is_demanded(const struct wd_program *program, const struct wd_generation *header)
{
	uint64_t rules = 0;

	for (uint32_t op = WD_OP_READ; op <= WD_OP_USE; op++) {
		if (!(program->needs & WD_NEED(op)))
			continue;
		for (uint32_t word = 0; word < WD_WORDS; word++)
			rules |= header->op[op].word[word];
	}
	return rules != 0;
}

int wd_attach_demanded(struct wd_kernel *kernel, const struct wd_generation *header,
		       struct wd_error *reterr_error)
{
	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if (!is_on_demand(program) || !is_demanded(program, header) ||
		    program->state == WD_PROGRAM_ATTACHED || program->state == WD_PROGRAM_ABSENT)
			continue;
		program->state = WD_PROGRAM_UNSET;
		wd_attach_pending(kernel, kernel->build_dir);
		if (program->state != WD_PROGRAM_ATTACHED)
			return wd_fail(reterr_error, "attach", program->err, program->program,
				       "%s: %s", program->step, program->log ? program->log : "");
	}
	return 0;
}

/* Best effort: a program too many denies nothing that the generation does not deny. */
void wd_detach_idle(struct wd_kernel *kernel, const struct wd_generation *header)
{
	struct wd_error error;
	char path[PATH_MAX];

	for (size_t i = 0; i < kernel->program_count; i++) {
		struct wd_program *program = &kernel->programs[i];

		if (!is_on_demand(program) || is_demanded(program, header) ||
		    program->state != WD_PROGRAM_ATTACHED)
			continue;
		if (wd_join(path, sizeof(path), &error, "%s/links/%s", kernel->build_dir,
			    program->program) != 0 ||
		    (unlink(path) != 0 && errno != ENOENT))
			continue;
		close(program->link_fd);
		program->link_fd = -1;
		program->state = WD_PROGRAM_IDLE;
	}
}
