// SPDX-License-Identifier: Apache-2.0
/*
 * layouts.c - tells the programs where btrfs and overlayfs keep what identities need.
 *
 * Read from the BTF that the kernel shows for each loaded module, never assumed by version. A module that
 * is not loaded has no mounted file system either, so there is nothing to know of it yet.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define BITS_PER_BYTE 8

/* Offset in bytes of a member, or -1; `ret_type` is its type without qualifiers. */
static int64_t find_member(const struct btf *btf, uint32_t type, const char *name,
			   uint32_t *ret_type)
{
	const struct btf_type *parent = btf__type_by_id(btf, type);
	const struct btf_member *members = btf_members(parent);

	for (uint32_t i = 0; i < btf_vlen(parent); i++) {
		const char *found = btf__name_by_offset(btf, members[i].name_off);

		if (!found || strcmp(found, name) != 0)
			continue;
		*ret_type = (uint32_t)btf__resolve_type(btf, members[i].type);
		return btf_member_bit_offset(parent, i) / BITS_PER_BYTE;
	}
	return -1;
}

/* Offset of `member`, and of `inner` in it unless that is NULL; an array counts as its first item. */
static bool find_offset(const struct btf *btf, const char *type_name, const char *member,
			const char *inner, uint32_t *ret_offset)
{
	int32_t type = btf__find_by_name_kind(btf, type_name, BTF_KIND_STRUCT);
	uint32_t member_type = 0, inner_type;
	int64_t offset, inside = 0;

	if (type < 0)
		return false;
	offset = find_member(btf, (uint32_t)type, member, &member_type);
	if (offset < 0)
		return false;
	if (inner) {
		const struct btf_type *found = btf__type_by_id(btf, member_type);

		if (found && btf_is_array(found))
			member_type = (uint32_t)btf__resolve_type(btf, btf_array(found)->type);
		found = btf__type_by_id(btf, member_type);
		if (!found || !btf_is_composite(found))
			return false;
		inside = find_member(btf, member_type, inner, &inner_type);
	}
	*ret_offset = (uint32_t)(offset + inside);
	return inside >= 0;
}

static void learn_btrfs(const struct btf *btf, struct wd_layouts *into)
{
	into->btrfs_known =
		find_offset(btf, "btrfs_inode", "vfs_inode", NULL, &into->btrfs_inode) &&
		find_offset(btf, "btrfs_inode", "root", NULL, &into->btrfs_root) &&
		find_offset(btf, "btrfs_root", "root_key", "objectid", &into->btrfs_root_id);
}

static void learn_overlay(const struct btf *btf, struct wd_layouts *into)
{
	bool lower;

	if (find_offset(btf, "ovl_inode", "oe", NULL, &into->overlay_entry))
		lower = find_offset(btf, "ovl_entry", "__lowerstack", "dentry",
				    &into->overlay_lower);
	else
		lower = find_offset(btf, "ovl_inode", "lowerpath", "dentry", &into->overlay_lower);
	into->overlay_known =
		lower && find_offset(btf, "ovl_inode", "vfs_inode", NULL, &into->overlay_inode);
}

static const struct {
	const char *module, *shown;
	void (*learn)(const struct btf *btf, struct wd_layouts *into);
} sources[WD_LAYOUT_MODULES] = {
	{ "btrfs", "/sys/kernel/btf/btrfs", learn_btrfs },
	{ "overlay", "/sys/kernel/btf/overlay", learn_overlay },
};

int wd_learn_layouts(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "layouts");
	struct btf *base = NULL, *btf;
	struct wd_layouts layouts;
	const uint32_t slot = 0;
	int result = 0;

	for (size_t i = 0; i < WD_LAYOUT_MODULES && result == 0; i++) {
		if (kernel->layout_seen[i] || access(sources[i].shown, F_OK) != 0)
			continue;
		if (!base)
			base = btf__load_vmlinux_btf();
		btf = base ? btf__load_module_btf(sources[i].module, base) : NULL;
		/* Without types, objects on that file system are refused one by one. */
		kernel->layout_seen[i] = true;
		if (!btf)
			continue;
		if (bpf_map_lookup_elem(map->fd, &slot, &layouts) != 0) {
			result = wd_fail(reterr_error, "resolve", errno, map->name, "cannot read");
		} else {
			sources[i].learn(btf, &layouts);
			if (bpf_map_update_elem(map->fd, &slot, &layouts, BPF_ANY) != 0)
				result = wd_fail(reterr_error, "resolve", errno, map->name,
						 "cannot write");
		}
		btf__free(btf);
	}
	btf__free(base);
	return result;
}
