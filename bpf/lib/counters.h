/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counters.h - exact per-cpu counters. Added atomically, because another task may run the same
 * program on this CPU in between.
 */
#ifndef WD_COUNTERS_H
#define WD_COUNTERS_H

#include "abi.h"
#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_counters);
} counters SEC(".maps");

static __always_inline struct wd_counters *wd_counters_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline void wd_count_decision(void)
{
	struct wd_counters *here = wd_counters_here();

	if (here)
		__sync_fetch_and_add(&here->decisions, 1);
}

static __noinline int wd_count_retry(void)
{
	struct wd_counters *here = wd_counters_here();

	if (here)
		__sync_fetch_and_add(&here->retries, 1);
	return 0;
}

#endif
