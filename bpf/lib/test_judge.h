/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_judge.h - judges one wd_test_request; shared by the test program and the native runner.
 *
 * The including file defines wd_find_*() and wd_repeat() first.
 */
#ifndef WD_TEST_JUDGE_H
#define WD_TEST_JUDGE_H

#include "test_cursor.h"
#include "judge.h"

struct wd_test_scratch {
	struct wd_findings findings;
	struct wd_test_request request;
};

static __always_inline struct wd_test_step *wd_test_step(struct wd_judge *judge, __u32 step)
{
	struct wd_test_request *request = &judge->at.slot->request;

	step &= WD_TEST_STEPS - 1;
	return judge->findings->side == WD_SIDE_TO ? &request->to[step] : &request->from[step];
}

static __always_inline __u32 wd_test_steps(struct wd_judge *judge)
{
	struct wd_test_request *request = &judge->at.slot->request;

	return judge->findings->side == WD_SIDE_TO ? request->to_steps : request->from_steps;
}

static __always_inline int wd_cursor_read(struct wd_judge *judge)
{
	struct wd_test_step *here = wd_test_step(judge, judge->findings->place.step);

	judge->node = here->identity;
	return here->identity.ino || here->identity.dev || here->identity.gen;
}

/* Names in a request are padded with zeroes, as keys are. */
static __always_inline void wd_test_name(char *name, const char *from)
{
	__builtin_memset(name, 0, WD_NAME_MAX);
	__builtin_memcpy(name, from, sizeof(((struct wd_test_step *)0)->name));
}

static __always_inline void wd_cursor_name(struct wd_judge *judge, char *name)
{
	wd_test_name(name, wd_test_step(judge, judge->findings->place.step - 1)->name);
}

static __always_inline int wd_cursor_up(struct wd_judge *judge)
{
	judge->findings->place.step++;
	return judge->findings->place.step < wd_test_steps(judge);
}

static __always_inline void wd_subject_read(struct wd_judge *judge)
{
	struct wd_subject *subject = &judge->findings->subject;
	struct wd_test_request *request = &judge->at.slot->request;

	subject->exe.file = request->exe;
	subject->exe.parent = request->exe_parent;
	subject->exe.known = request->exe.ino != 0;
	subject->up.file = request->up;
	subject->up.parent = request->up_parent;
	subject->up.known = request->up.ino != 0;
	subject->uid = request->uid;
	subject->depth = request->groups;
	if (subject->depth > WD_CGROUP_DEPTH)
		subject->depth = WD_CGROUP_DEPTH;
}

static __always_inline void wd_subject_name(struct wd_judge *judge, __u32 up, char *name)
{
	struct wd_test_request *request = &judge->at.slot->request;

	wd_test_name(name, up ? request->up_name : request->exe_name);
}

static __always_inline __u32 wd_subject_group(struct wd_judge *judge, __u32 depth, char *name)
{
	struct wd_test_request *request = &judge->at.slot->request;
	__u32 length = 0;

	wd_test_name(name, request->group[depth & (WD_CGROUP_DEPTH - 1)]);
	while (length < sizeof(request->group[0]) && name[length])
		length++;
	return length;
}

static __always_inline void wd_test_walk(struct wd_judge *judge, __u32 side, __u32 ancestor)
{
	judge->findings->side = side;
	judge->findings->ancestor = ancestor;
	judge->findings->finished = 0;
	judge->findings->place.step = 0;
	wd_repeat(WD_TEST_STEPS, wd_step, judge);
	if (!judge->findings->finished)
		judge->findings->incomplete = 1;
}

static __always_inline __u32 wd_test_action(struct wd_judge *judge, struct wd_test_request *request)
{
	struct wd_findings *findings = judge->findings;

	wd_terms_of(&findings->terms, request->op, request->replaces);
	judge->moves = wd_is_move(request->op);
	if (!wd_concerned(judge))
		return WD_ACTION_ALLOW;
	wd_test_walk(judge, WD_SIDE_FROM, wd_moves_dir(request->op, request->is_dir));
	if (request->to_steps)
		wd_test_walk(judge, WD_SIDE_TO, request->is_dir);
	wd_conclude(judge);
	return findings->decision.action;
}

/* Writes the verdict into the request of `slot`. No generation: nothing is enforced. */
static __noinline int wd_test_judge(struct wd_test_scratch *slot,
				    const struct wd_generation *generation)
{
	struct wd_judge judge = {
		.generation = generation,
		.findings = &slot->findings,
		.at = { .slot = slot },
	};
	struct wd_test_request *request = &slot->request;
	struct wd_verdict *verdict = &request->verdict;

	slot->findings.clean = 0;
	slot->findings.incomplete = 0;
	slot->findings.decision = (struct wd_decision){};
	verdict->action = WD_ACTION_ALLOW;
	request->generation = 0;
	if (generation) {
		request->generation = generation->generation;
		verdict->action = wd_test_action(&judge, request);
	}
	verdict->rule = slot->findings.decision.rule;
	verdict->reason = slot->findings.decision.reason;
	verdict->ret = wd_ret_of(verdict->action);
	return 0;
}

#endif
