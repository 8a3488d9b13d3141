/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - tells user space of one deny, would-deny, incomplete or let-through decision.
 *
 * The decision is made before and never depends on the event. The sequence is counted before space
 * is asked for; an event that finds no scratch or no space is counted as dropped, so that always
 * emitted + dropped == sequence.
 */
#ifndef WD_EVENT_H
#define WD_EVENT_H

#include "counters.h"
#include "judge.h"
#include "layers.h"
#include "live.h"
#include "stack.h"

/* Denials, and what break-glass let through, have a ring of their own, read first: no number of
 * would-denials can push one out. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/*
 * The attach proof needs the events of its own canaries. Under a flood every other ring is full, and a
 * flood must not be able to disprove what holds: denials of the enforcer's own children have a ring
 * that nobody else can write to, emptied before each run and larger than one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} canaries SEC(".maps");

/* The process whose children these are, while it has some; else 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} prover SEC(".maps");

static __always_inline int wd_is_canary(__u32 ppid)
{
	__u32 zero = 0;
	__u32 *tgid = bpf_map_lookup_elem(&prover, &zero);

	return tgid && *tgid && *tgid == ppid;
}

struct wd_event_path {
	struct dentry *here;
	struct wd_event *event; /* path_len so far lives here: see wd_repeat() */
};

/* Appends one name; the callback of bpf_loop. The root's own name "/" is left out. */
static __noinline long wd_event_name(__u32 index, struct wd_event_path *path)
{
	struct dentry *here = path->here;
	struct dentry *parent = here->d_parent;
	__u32 len = path->event->path_len;
	long got;

	if (!parent || parent == here)
		return 1;
	if (len > WD_PATH_BYTES)
		return 1;
	/* May run into the slack behind the event; a name that does is taken back. */
	got = bpf_probe_read_kernel_str(&path->event->path[len], WD_NAME_MAX, here->d_name.name);
	if (got <= 0 || len + got > WD_PATH_BYTES) {
		path->event->path_flags |= WD_PATH_CUT;
		return 1;
	}
	path->event->path_len = len + got;
	path->here = parent;
	return 0;
}

static __always_inline void wd_event_process(struct wd_event *event, __u32 own_creds)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;
	struct task_struct *parent = task->real_parent;
	__u64 ids = bpf_get_current_pid_tgid();
	struct file *exe = wd_current_exe();

	if (exe)
		wd_identify(exe->f_inode, &event->exe);
	event->uid = wd_current_uid(own_creds);
	event->pid = (__u32)ids;
	event->tgid = ids >> 32;
	if (leader)
		event->start_boottime_ns = leader->start_boottime;
	if (parent)
		event->ppid = parent->tgid;
	event->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

/* Counts one decision that was not a plain allow, before its event asks for space. */
static __always_inline struct wd_counters *wd_count_event(__u32 action, __u32 reason,
							  __u64 *ret_sequence)
{
	struct wd_counters *here = wd_counters_here();

	if (!here)
		return NULL;
	*ret_sequence = __sync_fetch_and_add(&here->sequence, 1) + 1;
	if (action == WD_ACTION_DENY)
		__sync_fetch_and_add(&here->denied, 1);
	else if (action == WD_ACTION_LET)
		__sync_fetch_and_add(&here->let, 1);
	else
		__sync_fetch_and_add(&here->audited, 1);
	if (reason == WD_REASON_INCOMPLETE)
		__sync_fetch_and_add(&here->incomplete, 1);
	return here;
}

/* `dentry` may be NULL: the decision was not about a file. */
static __noinline int wd_emit(struct wd_judge *judge, struct wd_scratch *slot, __u32 hook,
			      struct dentry *dentry, struct inode *inode)
{
	struct wd_decision *decision = &slot->findings.decision;
	struct wd_event *event = &slot->event;
	struct wd_counters *here;
	__u64 sequence = 0;
	long refused;

	here = wd_count_event(decision->action, decision->reason, &sequence);
	if (!here)
		return 0;
	wd_zero(event, sizeof(*event));
	event->sequence = sequence;
	event->generation = judge->generation->generation;
	event->boottime_ns = bpf_ktime_get_boot_ns();
	event->cpu = bpf_get_smp_processor_id();
	event->rule = decision->rule;
	event->hook = hook;
	/* The tables tell reading from writing through an open file; the operation is one. */
	event->op = decision->op > WD_OP_USE ? WD_OP_USE : decision->op;
	event->action = decision->action;
	event->reason = decision->reason;
	event->ret = wd_ret_of(decision->action);
	wd_identify(inode, &event->object);
	wd_event_process(event, slot->findings.own_creds);
	event->kernel_stack = wd_record_stack(slot, 0);
	event->user_stack = wd_record_stack(slot, BPF_F_USER_STACK);
	if (dentry) {
		struct wd_event_path path = { .here = dentry, .event = event };

		wd_repeat(WD_PATH_BYTES, wd_event_name, &path);
	}
	if (decision->action == WD_ACTION_LET)
		event->token = slot->token;
	if (hook == WD_HOOK_FILE_OPEN && decision->action != WD_ACTION_DENY)
		wd_note_told(dentry, inode, event->generation);
	if (decision->action != WD_ACTION_AUDIT && wd_is_canary(event->ppid))
		refused = bpf_ringbuf_output(&canaries, event, sizeof(*event), 0);
	else if (decision->action != WD_ACTION_AUDIT)
		refused = bpf_ringbuf_output(&denials, event, sizeof(*event), 0);
	else
		refused = bpf_ringbuf_output(&events, event, sizeof(*event), 0);
	if (refused)
		__sync_fetch_and_add(&here->dropped, 1);
	else
		__sync_fetch_and_add(&here->emitted, 1);
	return 0;
}

/* Without scratch nothing can be judged, nor told; the deny is counted, and its event as lost. */
static __noinline int wd_deny_blind(void)
{
	struct wd_counters *here;
	__u64 sequence;

	here = wd_count_event(WD_ACTION_DENY, WD_REASON_INCOMPLETE, &sequence);
	if (here)
		__sync_fetch_and_add(&here->dropped, 1);
	return -WD_EACCES;
}

#endif
