/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * records.h - the records of the committed generation, found in the maps.
 *
 * Trust: the maps are written by the loader before they become current, and by nobody after.
 */
#ifndef WD_RECORDS_H
#define WD_RECORDS_H

#include "maps.h"
#include "walk.h"

/* The one read of what is in force. NULL: nothing is, as before the first activation. */
static __always_inline const struct wd_generation *wd_committed(void)
{
	const struct wd_generation *generation;
	__u32 zero = 0;
	void *slot = bpf_map_lookup_elem(&committed, &zero);

	if (!slot)
		return NULL;
	generation = bpf_map_lookup_elem(slot, &zero);
	if (!generation || !generation->rules)
		return NULL;
	return generation;
}

static __always_inline const struct wd_object *wd_find_object(struct wd_judge *judge,
							      const struct wd_identity *identity)
{
	__u32 bank = judge->generation->bank;
	void *map = bpf_map_lookup_elem(&objects, &bank);

	if (!map) {
		/* A header without its bank is not a policy without objects. */
		judge->findings->incomplete = 1;
		return NULL;
	}
	return bpf_map_lookup_elem(map, identity);
}

static __always_inline const struct wd_object *wd_find_name(struct wd_judge *judge,
							    const struct wd_name_key *key)
{
	__u32 bank = judge->generation->bank;
	void *map = bpf_map_lookup_elem(&names, &bank);

	if (!map) {
		judge->findings->incomplete = 1;
		return NULL;
	}
	return bpf_map_lookup_elem(map, key);
}

static __always_inline const struct wd_ruleset *wd_find_label(struct wd_judge *judge,
							      const __u32 *label)
{
	__u32 bank = judge->generation->bank;
	void *map = bpf_map_lookup_elem(&labels, &bank);

	return map ? bpf_map_lookup_elem(map, label) : NULL;
}

static __always_inline const __u32 *wd_find_exempt(struct wd_judge *judge,
						   const struct wd_exempt_key *key)
{
	__u32 bank = judge->generation->bank;
	void *map = bpf_map_lookup_elem(&exempt, &bank);

	return map ? bpf_map_lookup_elem(map, key) : NULL;
}

static __always_inline const struct wd_group *wd_find_group(struct wd_judge *judge,
							    const struct wd_group_key *key)
{
	__u32 bank = judge->generation->bank;
	void *map = bpf_map_lookup_elem(&groups, &bank);

	if (!map) {
		judge->findings->incomplete = 1;
		return NULL;
	}
	return bpf_map_lookup_elem(map, key);
}

#endif
