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

struct wd_hashing {
	struct wd_scratch *slot;
};

/* The callback of bpf_loop. */
static __noinline long wd_hash_frame(__u32 index, struct wd_hashing *at)
{
	struct wd_scratch *slot = at->slot;
	__u64 frame = slot->stack.frame[index & (WD_STACK_FRAMES - 1)];

	slot->stack_key = (slot->stack_key ^ frame) * WD_TRACE_PRIME;
	return 0;
}

/* Answers the key of the current task's stack, or 0. `slot` lends the space. */
static __noinline __u64 wd_record_stack(struct wd_scratch *slot, __u64 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct wd_stack *stack = &slot->stack;
	struct wd_hashing at = { .slot = slot };
	__u64 key;
	long bytes;

	wd_zero(stack, sizeof(*stack));
	bytes = bpf_get_task_stack(task, stack, sizeof(*stack), flags);
	if (bytes <= 0)
		return 0;
	slot->stack_key = 0;
	wd_repeat(WD_STACK_FRAMES, wd_hash_frame, &at);
	key = slot->stack_key | 1; /* never 0 */
	/* Written again each time: that is what keeps a stack in use from being forgotten. */
	if (bpf_map_update_elem(&stacks, &key, stack, BPF_ANY))
		return 0;
	return key;
}

#endif
