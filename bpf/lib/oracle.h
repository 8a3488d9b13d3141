/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * oracle.h - compares every answer of quiet.h with the walk of walk.h; in objects built for tests.
 *
 * The walk uses neither entries nor filters. Two answers can be compared when both were given in
 * one state of the tree, that is when nothing was moved in between; both use the generation that
 * was read once. Anything that the walk finds, or cannot see, contradicts "no rule covers it".
 *
 * Production objects are built without this file: there is nothing that could be turned on.
 */
#ifndef WD_ORACLE_H
#define WD_ORACLE_H

struct wd_oracle {
	__u64 kept;  /* compared answers that an entry gave */
	__u64 fresh; /* compared answers that were worked out anew */
	__u64 moved; /* not comparable: something was moved in between */
	__u64 different;
	__u64 hook; /* of the last difference */
	__u64 ino;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_oracle);
} oracle SEC(".maps");

static __always_inline __u32 wd_oracle_begins(void)
{
	return wd_rename_sequence();
}

/* What a quiet answer rules out. */
static __noinline int wd_contradicts(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;
	struct wd_pass pass = {
		.generation = judge->generation,
		.covers = &findings->covers,
		.terms = &findings->terms,
		.out = &findings->decision,
		.moves = judge->moves,
	};

	return findings->incomplete || (findings->clean && wd_relevant(&pass));
}

static __noinline int wd_ask_oracle(const struct wd_generation *generation,
				    struct wd_request *request, __u32 before, int quiet)
{
	struct wd_judge judge = { .generation = generation };
	struct wd_scratch *slot = wd_borrow(wd_nil(generation));
	struct wd_oracle *counts;
	__u32 zero = 0;
	int contradicts;

	counts = bpf_map_lookup_elem(&oracle, &zero);
	if (!slot || !counts)
		return 0;
	judge.findings = &slot->findings;
	wd_decide_request(&judge, request);
	contradicts = wd_contradicts(&judge);
	wd_release(slot);
	if ((before & 1) || before != wd_rename_sequence()) {
		__sync_fetch_and_add(&counts->moved, 1);
		return 0;
	}
	if (quiet == WD_QUIET_KEPT)
		__sync_fetch_and_add(&counts->kept, 1);
	else
		__sync_fetch_and_add(&counts->fresh, 1);
	if (!contradicts)
		return 0;
	__sync_fetch_and_add(&counts->different, 1);
	counts->hook = request->hook;
	if (request->inode)
		counts->ino = request->inode->i_ino;
	return 0;
}

#endif
