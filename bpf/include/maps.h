/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h - the maps, the same by name and shape in warder.bpf.o and decide_test.bpf.o.
 *
 * A generation is an inner map of each of objects, names, labels, exempt, groups and filters at
 * index `bank`, and a header at committed[0]. All are frozen, and BPF_F_RDONLY_PROG keeps programs
 * from writing them.
 * `glass` is beside them: it holds a frozen map while break-glass is in use.
 * The outer maps start empty: with no header nothing is enforced. Inner maps give key and value by
 * size, because BTF of a struct key of an inner map needs an instance, and an instance would
 * be a generation before the first one.
 */
#ifndef WD_MAPS_H
#define WD_MAPS_H

#include "abi.h"
#include "filter.h"
#include "kernel.h"

/* Inner maps of the hash kind may have any size; the loader makes them as large as needed. */
#define WD_INNER_ENTRIES 1

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct wd_generation));
		});
} committed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, WD_INNER_ENTRIES);
			__uint(key_size, sizeof(struct wd_identity));
			__uint(value_size, sizeof(struct wd_object));
		});
} objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, WD_INNER_ENTRIES);
			__uint(key_size, sizeof(struct wd_name_key));
			__uint(value_size, sizeof(struct wd_object));
		});
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			/* Arrays must be of one size, unless marked as inner maps. */
			__uint(map_flags, BPF_F_RDONLY_PROG | BPF_F_INNER_MAP);
			__uint(max_entries, WD_INNER_ENTRIES);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct wd_ruleset));
		});
} labels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, WD_INNER_ENTRIES);
			__uint(key_size, sizeof(struct wd_exempt_key));
			__uint(value_size, sizeof(__u32));
		});
} exempt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, WD_INNER_ENTRIES);
			__uint(key_size, sizeof(struct wd_group_key));
			__uint(value_size, sizeof(struct wd_group));
		});
} groups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WD_BANKS);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct wd_filter));
		});
} filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_RDONLY_PROG);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct wd_glass));
		});
} glass SEC(".maps");

#endif
