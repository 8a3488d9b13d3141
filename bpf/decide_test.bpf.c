// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * decide_test.bpf.c - judges a request given as an array of steps, by BPF_PROG_TEST_RUN.
 *
 * Never attached to anything. Everything but the cursor is the text that the LSM programs run.
 */
#include "test_cursor.h"

#include "records.h"

#include "test_judge.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wd_test_scratch);
} scratch SEC(".maps");

SEC("syscall")
int decide_test(struct wd_test_request *request)
{
	struct wd_test_scratch *slot;
	__u32 zero = 0;

	slot = bpf_map_lookup_elem(&scratch, &zero);
	if (!slot)
		return -1;
	/* The context itself may not be indexed by a variable. */
	if (bpf_probe_read_kernel(&slot->request, sizeof(slot->request), request))
		return -1;
	wd_test_judge(slot, wd_committed());
	request->verdict = slot->request.verdict;
	request->generation = slot->request.generation;
	return 0;
}
