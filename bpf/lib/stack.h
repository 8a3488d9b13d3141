/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stack.h - records which code asked for what was refused, under a key that an event can carry.
 *
 * The key is a hash of the frames, so equal stacks are kept once, and the map forgets the least
 * recently used: it never fills up, and a key leads to its own frames or to nothing. The kernel's
 * own stack map does neither: it refuses what collides, and is full one day.
 */
#ifndef WD_STACK_H
#define WD_STACK_H

#include "live.h"

#define WD_STACKS 1024

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WD_STACKS);
	__type(key, __u64);
	__type(value, struct wd_stack);
} stacks SEC(".maps");

/* Answers the key of the current task's stack, or 0. `slot` lends the space. */
static __noinline __u64 wd_record_stack(struct wd_scratch *slot, __u64 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wd_stack *stack = &slot->stack;
	__u64 key = 0;
	long bytes;

	bpf_probe_read_kernel(stack, sizeof(*stack), NULL); /* zeroes it, see event.h */
	bytes = bpf_get_task_stack(task, stack, sizeof(*stack), flags);
	if (bytes <= 0)
		return 0;
	for (__u32 i = 0; i < WD_STACK_FRAMES; i++)
		key = (key ^ stack->frame[i]) * WD_TRACE_PRIME;
	key |= 1; /* never 0 */
	/* Written again each time: that is what keeps a stack in use from being forgotten. */
	if (bpf_map_update_elem(&stacks, &key, stack, BPF_ANY))
		return 0;
	return key;
}

#endif
