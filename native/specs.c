// SPDX-License-Identifier: Apache-2.0
/*
 * specs.c - the table of programs.h and the choice of a variant for this kernel.
 *
 * Variants are chosen by the BTF prototype of the hook, never by the kernel's version: the wrong
 * inode_setattr loads, attaches and never matches.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "programs.h"

#define WD_ROW(program, hook, hook_id, nargs, needs) { #program, hook, hook_id, nargs, needs },
const struct wd_program_spec wd_specs[] = { WD_PROGRAMS(WD_ROW) };

const size_t wd_spec_count = sizeof(wd_specs) / sizeof(wd_specs[0]);

int wd_hook_nargs(const struct btf *btf, const char *hook)
{
	const struct btf_type *type;
	char name[128];
	int id;

	snprintf(name, sizeof(name), "bpf_lsm_%s", hook);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	if (id < 0)
		return -1;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
	if (!type || !btf_is_func_proto(type))
		return -1;
	return btf_vlen(type);
}

bool wd_spec_is_first(size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(wd_specs[i].hook, wd_specs[index].hook) == 0)
			return false;
	}
	return true;
}

const struct wd_program_spec *wd_spec_for(const char *hook, int nargs)
{
	for (size_t i = 0; i < wd_spec_count; i++) {
		if (strcmp(wd_specs[i].hook, hook) == 0 && wd_specs[i].nargs == nargs)
			return &wd_specs[i];
	}
	return NULL;
}
